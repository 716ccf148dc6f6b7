"""EAR as JWT: the compact serialization of a JWS, ES384 only.

Source: RFC 7515 sections 3.1, 4.1 and 7.1; RFC 7518 section 3.4; RFC 7519; RFC 8725 sections 2 and 3.
"""

import json
import re
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from sealmesh.attestation.dcap.documents import load_json
from sealmesh.attestation.results.envelope import MAX_CERTIFICATES, UnverifiedEnvelope
from sealmesh.errors.attestation import EndorsementFormatError
from sealmesh.errors.results import ResultFormatError

ALGORITHM = "ES384"
TYPE = "eat+jwt"
_TYPES = (None, TYPE, f"application/{TYPE}", "JWT")
_FORM = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def encode_header(chain: Sequence[bytes], key_id: bytes) -> bytes:
    """Return the protected header, with the key's thumbprint and the signer's chain, if there is one."""
    header: dict[str, object] = {"alg": ALGORITHM, "typ": TYPE, "kid": _encoded(key_id).decode("ascii")}
    if chain:
        header["x5c"] = [b64encode(der).decode("ascii") for der in chain]
    return _json(header)


def encode_claims(claims: object) -> bytes:
    """Return the payload."""
    return _json(claims)


def message(header: bytes, claims: bytes) -> bytes:
    """Return the bytes that the signature covers."""
    return _encoded(header) + b"." + _encoded(claims)


def assemble(header: bytes, claims: bytes, signature: bytes) -> bytes:
    """Return the token."""
    return message(header, claims) + b"." + _encoded(signature)


def is_jws(raw: bytes) -> bool:
    """Tell whether `raw` has the form of a compact JWS."""
    return _FORM.fullmatch(raw) is not None


def parse_jws(raw: bytes) -> UnverifiedEnvelope:
    """Take a token apart that `is_jws` recognized.

    Raises:
        ResultFormatError: `result-algorithm`, another one (`none` first of all) or a parameter that must
            be understood; `result-format`.
    """
    header, claims, signature = map(_decoded, raw.split(b"."))
    parameters = read_json(header, what="the header")
    if not isinstance(parameters, dict):
        raise ResultFormatError("the header is no object")
    algorithm = parameters.get("alg")
    if algorithm != ALGORITHM or "crit" in parameters:
        raise ResultFormatError(
            "the token is not signed as it must be",
            code="result-algorithm",
            found="a header parameter that must be understood"
            if "crit" in parameters
            else str(algorithm)[:64],
            wanted=ALGORITHM,
        )
    if parameters.get("typ") not in _TYPES:
        raise ResultFormatError(
            "this is another kind of token", found=str(parameters.get("typ"))[:64], wanted=TYPE
        )
    return UnverifiedEnvelope(
        chain=_chain(parameters.get("x5c", [])),
        message=raw.rpartition(b".")[0],
        signature=signature,
        claims=claims,
    )


def read_json(data: bytes, *, what: str) -> object:
    """Return the value of a JSON text without duplicate keys.

    Raises:
        ResultFormatError: It is none.
    """
    try:
        return load_json(data.decode(), subject=what)
    except (EndorsementFormatError, UnicodeDecodeError) as error:
        raise ResultFormatError(f"{what} is not JSON as it must be", found=str(error)[:200]) from error


def _chain(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > MAX_CERTIFICATES:
        raise ResultFormatError("`x5c` is no chain", wanted=f"at most {MAX_CERTIFICATES} certificates")
    try:
        return tuple(b64decode(item, validate=True) for item in value)
    except (TypeError, ValueError) as error:
        raise ResultFormatError("`x5c` is no chain", wanted="base64 of DER") from error


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _encoded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _decoded(part: bytes) -> bytes:
    try:
        data = urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError as error:
        raise ResultFormatError("a part of the token is not base64url") from error
    if _encoded(data) != part:
        raise ResultFormatError("a part of the token is not written in its only form")
    return data
