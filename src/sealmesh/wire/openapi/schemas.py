"""What goes over the client port, as JSON Schema (draft 2020-12)."""

from collections.abc import Mapping
from typing import TypeAlias

Schema: TypeAlias = Mapping[str, object]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
BASE64: Schema = {"type": "string", "contentEncoding": "base64"}
DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
UINT64: Schema = {"type": "integer", "minimum": 0, "maximum": 2**64 - 1}
NULL: Schema = {"type": "null"}
PEM: Schema = {"type": "string", "description": "Certificates: the intermediate, then the root."}


def record(**properties: Schema) -> Schema:
    """Return an object with exactly these properties, all of them."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def with_optional(schema: Schema, **properties: Schema) -> Schema:
    """Return `schema` with properties that may be missing."""
    known = schema["properties"]
    assert isinstance(known, Mapping)
    return {**schema, "properties": {**known, **properties}}


def listing(item: Schema) -> Schema:
    """Return a list."""
    return {"type": "array", "items": item}


def by_name(item: Schema) -> Schema:
    """Return an object whose names are the user's."""
    return {"type": "object", "additionalProperties": item}


def or_null(schema: Schema) -> Schema:
    """Return `schema`, or null."""
    return {"anyOf": [schema, NULL]}


def sent(**properties: Schema) -> Schema:
    """Return a request body as Go's `encoding/json` reads it.

    Field names match in any case, unknown ones are ignored, and what is missing or null counts as empty.
    """
    return {"type": "object", "properties": {name: or_null(item) for name, item in properties.items()}}


def envelope(data: Schema) -> Schema:
    """Return a success in MarbleRun's envelope."""
    return record(status={"const": "success"}, data=data)


#: v1 and the Coordinator's rules: `message` is left out when empty.
ERROR = with_optional(record(status={"const": "error"}, data=NULL), message=TEXT)
#: v2, where the request's form or its caller is at fault.
FAIL = with_optional(
    record(status={"const": "fail"}, data=or_null(record(sgxQuote=TEXT))),
    message=TEXT,
)
#: Our own routes.
OWN_ERROR = record(error=with_optional(record(code=TEXT, message=TEXT), found=TEXT, wanted=TEXT, remedy=TEXT))

SHARES = by_name(BASE64)
SECRET = record(
    Type={"enum": ["symmetric-key", "cert-rsa", "cert-ecdsa", "cert-ed25519", "plain"]},
    Size=NUMBER,
    Shared=FLAG,
    UserDefined=FLAG,
    Cert=or_null(BASE64),
    ValidFor=NUMBER,
    Private=or_null(BASE64),
    Public=or_null(BASE64),
)
UPLOAD = sent(Cert=BASE64, Private=BASE64, Key=BASE64)
SHARE = sent(recoverySecret=BASE64, recoverySecretSignature=BASE64)
APPROVAL = record(
    id=TEXT,
    approver=TEXT,
    act=TEXT,
    subject=TEXT,
    reason=TEXT,
    notAfter={"type": "string", "format": "date-time"},
    missing=NUMBER,
    asked=listing(TEXT),
)
