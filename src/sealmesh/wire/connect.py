"""Connect's unary calls, as far as they are more than a POST (connectrpc.com, "Connect Protocol Reference").

A message is the body as it is; a refusal is an HTTP status and JSON.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError

from sealmesh.wire.enrolment_pb2 import ErrorDetail
from sealmesh.wire.status import Status

MESSAGE_TYPE: Final = "application/proto"
REFUSAL_TYPE: Final = "application/json"
VERSION_HEADER: Final = "connect-protocol-version"
VERSION: Final = "1"

_HTTP_STATUS: Final = {
    Status.CANCELLED: 499,
    Status.UNKNOWN: 500,
    Status.INVALID_ARGUMENT: 400,
    Status.DEADLINE_EXCEEDED: 504,
    Status.NOT_FOUND: 404,
    Status.ALREADY_EXISTS: 409,
    Status.PERMISSION_DENIED: 403,
    Status.RESOURCE_EXHAUSTED: 429,
    Status.FAILED_PRECONDITION: 400,
    Status.ABORTED: 409,
    Status.OUT_OF_RANGE: 400,
    Status.UNIMPLEMENTED: 501,
    Status.INTERNAL: 500,
    Status.UNAVAILABLE: 503,
    Status.DATA_LOSS: 500,
    Status.UNAUTHENTICATED: 401,
}
_CODES: Final = {status: status.name.lower() for status in _HTTP_STATUS} | {Status.CANCELLED: "canceled"}
_STATUSES: Final = {code: status for status, code in _CODES.items()}
_DETAIL_TYPE: Final = ErrorDetail.DESCRIPTOR.full_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a server says instead of an answer."""

    status: Status
    text: str
    detail: ErrorDetail | None


def http_status(status: Status) -> int:
    """Return the HTTP status of a refusal with `status`, which is not OK."""
    return _HTTP_STATUS[status]


def encode_refusal(status: Status, text: str, detail: bytes | None) -> bytes:
    """Return the body of a refusal; `detail` is an `ErrorDetail`, serialized."""
    body: dict[str, object] = {"code": _CODES[status], "message": text}
    if detail is not None:
        body["details"] = [{"type": _DETAIL_TYPE, "value": b64encode(detail).rstrip(b"=").decode("ascii")}]
    return json.dumps(body).encode()


def parse_refusal(body: bytes) -> Refusal:
    """Read what `encode_refusal` or another Connect server wrote. Details that are not ours are left out.

    Raises:
        ValueError: It is no refusal.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("no JSON") from error
    if not isinstance(document, dict) or not isinstance(document.get("code"), str):
        raise ValueError("no refusal")
    text = document.get("message", "")
    return Refusal(
        status=_STATUSES.get(document["code"], Status.UNKNOWN),
        text=text.encode("utf-8", "replace").decode() if isinstance(text, str) else "",
        detail=_detail(document.get("details")),
    )


def _detail(details: object) -> ErrorDetail | None:
    for each in details if isinstance(details, list) else ():
        if isinstance(each, dict) and each.get("type") == _DETAIL_TYPE and isinstance(each.get("value"), str):
            try:
                value = each["value"]
                return ErrorDetail.FromString(b64decode(value + "=" * (-len(value) % 4), validate=True))
            except (NoBase64, ValueError, DecodeError):
                return None
    return None
