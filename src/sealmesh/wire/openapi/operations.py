"""All operations of the client port (COMPAT section 4, and our own)."""

from collections.abc import Mapping
from typing import Final

from sealmesh.wire.openapi.operation import Api, Caller, Operation, Query
from sealmesh.wire.openapi.schemas import (
    APPROVAL,
    BASE64,
    DIGEST,
    FLAG,
    NULL,
    NUMBER,
    PEM,
    SECRET,
    SHARE,
    SHARES,
    TEXT,
    UINT64,
    UPLOAD,
    Schema,
    by_name,
    listing,
    or_null,
    record,
    sent,
    with_optional,
)

V2: Final = "/api/v2"
OWN: Final = "/api/sealmesh/v1"
_ANY_OBJECT: Schema = {"type": "object", "description": "A manifest, as it is."}
_MANIFEST = sent(manifest=BASE64)
_NONCE = Query(name="nonce", about="Base64 of the URL alphabet, padded; bound by the Evidence.")
_NAMES = Query(name="s", about="The name of a secret.", several=True)
_PHASE: Schema = {"enum": [0, 1, 2, 3], "description": "1 recovery, 2 waits for a manifest, 3 running."}
_UPDATED = with_optional(
    record(missingUsers=or_null(listing(TEXT)), missingAcknowledgments=NUMBER), recoverySecrets=SHARES
)
_PENDING = record(manifest=BASE64, message=TEXT, missingUsers=listing(TEXT))


def _v1(method: str, path: str, about: str, data: Schema | None, **more: object) -> Operation:
    return _made(Api.V1, method, path, about, data, more)


def _v2(method: str, path: str, about: str, data: Schema | None, **more: object) -> Operation:
    return _made(Api.V2, method, V2 + path, about, data, more)


def _own(method: str, path: str, about: str, data: Schema | None, **more: object) -> Operation:
    return _made(Api.OWN, method, OWN + path, about, data, more)


def _made(
    api: Api, method: str, path: str, about: str, data: Schema | None, more: Mapping[str, object]
) -> Operation:
    return Operation(api=api, method=method, path=path, about=about, data=data, **more)  # type: ignore[arg-type]


_USER = {"caller": Caller.USER}

OPERATIONS: Final[tuple[Operation, ...]] = (
    _v1("GET", "/status", "The Coordinator's phase.", record(StatusCode=_PHASE, StatusMessage=TEXT)),
    _v1(
        "GET",
        "/manifest",
        "The manifest in force and its signature; empty before there is one.",
        record(
            ManifestSignatureRootECDSA=or_null(BASE64),
            ManifestSignature={"anyOf": [DIGEST, {"const": ""}]},
            Manifest=or_null(BASE64),
        ),
    ),
    _v1(
        "POST",
        "/manifest",
        "Set the first manifest.",
        or_null(record(RecoverySecrets=SHARES)),
        body=_ANY_OBJECT,
    ),
    _v1("GET", "/quote", "Certificate chain and Evidence.", record(Cert=PEM, Quote=or_null(BASE64))),
    _v1("POST", "/recover", "Moved to v2.", None, refusals=(410,)),
    _v1("GET", "/update", "The update log, a line each.", TEXT),
    _v1("POST", "/update", "Update packages, or propose a manifest.", NULL, body=_ANY_OBJECT, **_USER),
    _v1("GET", "/update-manifest", "The update that waits.", _PENDING, refusals=(404,)),
    _v1(
        "POST",
        "/update-manifest",
        "Acknowledge the update that waits, with the same bytes.",
        TEXT,
        body=_ANY_OBJECT,
        refusals=(404,),
        **_USER,
    ),
    _v1("POST", "/update-cancel", "Cancel the update that waits.", TEXT, refusals=(404,), **_USER),
    _v1("GET", "/secrets", "Read secrets.", by_name(SECRET), query=(_NAMES,), **_USER),
    _v1("POST", "/secrets", "Upload values of user-defined secrets.", NULL, body=by_name(UPLOAD), **_USER),
    _v2("GET", "/status", "The Coordinator's phase.", record(code=_PHASE, message=TEXT)),
    _v2(
        "GET",
        "/manifest",
        "The manifest in force and its signature by the root key.",
        record(manifestSignatureRootECDSA=BASE64, manifestFingerprint=DIGEST, manifest=BASE64),
    ),
    _v2(
        "POST",
        "/manifest",
        "Set the first manifest.",
        record(RecoverySecrets=SHARES),
        body=_MANIFEST,
    ),
    _v2(
        "GET",
        "/quote",
        "Certificate chain and Evidence.",
        record(cert=PEM, quote=or_null(BASE64)),
        query=(_NONCE,),
    ),
    _v2(
        "POST",
        "/recover",
        "Give one recovery secret, plain or encrypted to the public key.",
        record(remaining=NUMBER, message=TEXT),
        body=SHARE,
    ),
    _v2(
        "GET",
        "/recover/public-key",
        "The key to encrypt recovery secrets to.",
        record(algorithm={"const": "RSA"}, ephemeralPublicKey=BASE64),
    ),
    _v2("GET", "/update", "The update log.", record(updateLog=listing(TEXT))),
    _v2("POST", "/update", "Update packages, or propose a manifest.", _UPDATED, body=_MANIFEST, **_USER),
    _v2("GET", "/update-manifest", "The update that waits.", _PENDING, refusals=(404,)),
    _v2(
        "POST",
        "/update-manifest",
        "Acknowledge the update that waits, with the same bytes.",
        with_optional(_UPDATED, message=TEXT),
        body=_MANIFEST,
        refusals=(404,),
        **_USER,
    ),
    _v2(
        "POST",
        "/update-cancel",
        "Cancel the update that waits.",
        record(message=TEXT),
        refusals=(404,),
        **_USER,
    ),
    _v2("GET", "/secrets", "Read secrets.", record(secrets=by_name(SECRET)), query=(_NAMES,), **_USER),
    _v2(
        "POST",
        "/secrets",
        "Upload values of user-defined secrets.",
        NULL,
        body=sent(secrets=by_name(UPLOAD)),
        **_USER,
    ),
    _v2(
        "POST",
        "/sign-quote",
        "Verify a quote and sign the verdict. Needs the gate SignQuoteEndpoint.",
        record(tcbStatus=TEXT, verificationSignature=BASE64),
        body=sent(sgxQuote=BASE64),
        refusals=(403,),
    ),
    _v2(
        "POST",
        "/monotonic-counter",
        "Raise a Marble's counter. Needs the gate MonotonicCounter.",
        record(value=UINT64),
        body=sent(name=TEXT, value=UINT64),
        caller=Caller.MARBLE,
        refusals=(403,),
    ),
    _own(
        "GET",
        "/status",
        "The phase, what is relaxed or simulated, and how far a recovery is.",
        with_optional(
            record(code=_PHASE, message=TEXT, relaxations=listing(TEXT), simulation=FLAG),
            recovery=record(reason=TEXT, owners=NUMBER, threshold=NUMBER, given=NUMBER),
        ),
    ),
    _own(
        "GET",
        "/quote",
        "Certificate chain, Evidence, and its collateral.",
        record(cert=PEM, quote=or_null(BASE64), endorsements=or_null(BASE64)),
        query=(_NONCE,),
    ),
    _own(
        "GET",
        "/statement",
        "The application's statement (docs/tasks/verify.md).",
        {"type": "object"},
        bare=True,
        query=(_NONCE,),
    ),
    _own(
        "GET",
        "/results",
        "The Attestation Result of an admission: a Marble's own, or for a user any Marble's "
        "(docs/attestation/results.md).",
        {"type": "string", "contentMediaType": "application/eat+jwt", "description": "A token; CWT: bytes."},
        bare=True,
        media=("application/eat+jwt", "application/eat+cwt"),
        query=(
            Query(name="form", about="`jwt` (as left out) or `cwt`."),
            Query(name="nonce", about="Base64 of the URL alphabet, padded, of 8 to 64 bytes; in the token."),
            Query(name="marble", about="Users: the Marble's type."),
            Query(name="uuid", about="Users: the Marble's UUID."),
        ),
    ),
    _own(
        "POST",
        "/recover/drill",
        "What a recovery with these shares would come to; changes nothing.",
        record(
            owners=NUMBER,
            threshold=NUMBER,
            passed=FLAG,
            opens=FLAG,
            remark=TEXT,
            shares=by_name(record(problem=TEXT, owner=TEXT)),
        ),
        body=sent(shares=by_name(SHARE)),
    ),
    _own(
        "GET",
        "/governance",
        "What approvals have to name, and which acts need them.",
        record(
            trustDomain=TEXT,
            root=DIGEST,
            coordinator=DIGEST,
            manifest=or_null(DIGEST),
            epoch=or_null(NUMBER),
            rules=by_name(record(threshold=NUMBER, approvers=listing(TEXT))),
            keys=by_name(listing(TEXT)),
        ),
    ),
    _own("GET", "/approvals", "The approvals that wait to be used.", record(approvals=listing(APPROVAL))),
    _own("POST", "/approvals", "Hand in a signed approval.", APPROVAL, body=sent(approval=BASE64)),
)
