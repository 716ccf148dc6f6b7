"""EAR as CWT: a COSE_Sign1, ES384 only, under the tags of CWT (61) and COSE_Sign1 (18).

Source: RFC 9052 sections 3.1 and 4; RFC 9053 section 2.1; RFC 8392 section 6; RFC 9360 (`x5chain`); RFC 9596
(`typ`). The chain stands in the protected header, so that the signature covers it.
"""

from collections.abc import Sequence

from sealmesh.attestation.cbor import Tagged, Value, decode, encode
from sealmesh.attestation.cose import ES384, SIGN1_TAG, signature_structure
from sealmesh.attestation.results.envelope import MAX_CERTIFICATES, UnverifiedEnvelope
from sealmesh.errors.attestation import EvidenceFormatError
from sealmesh.errors.results import ResultFormatError

CWT_TAG = 61
TYPE = "application/eat+cwt"
_ALGORITHM, _CRITICAL, _KEY_ID, _TYPE, _CHAIN = 1, 2, 4, 16, 33
_PREFIXES = (b"\xd8\x3d\xd2", b"\xd2")


def encode_header(chain: Sequence[bytes], key_id: bytes) -> bytes:
    """Return the protected header, with the key's thumbprint and the signer's chain, if there is one."""
    header: dict[int | str, Value] = {_ALGORITHM: ES384, _TYPE: TYPE, _KEY_ID: key_id}
    if chain:
        header[_CHAIN] = chain[0] if len(chain) == 1 else tuple(chain)
    return encode(header)


def assemble(header: bytes, claims: bytes, signature: bytes) -> bytes:
    """Return the token."""
    return encode(Tagged(CWT_TAG, Tagged(SIGN1_TAG, (header, {}, claims, signature))))


def is_sign1(raw: bytes) -> bool:
    """Tell whether `raw` begins as a COSE_Sign1 does, with or without the tag of CWT."""
    return raw.startswith(_PREFIXES)


def parse_sign1(raw: bytes) -> UnverifiedEnvelope:
    """Take a token apart that `is_sign1` recognized.

    Raises:
        ResultFormatError: `result-algorithm`, another one or a parameter that must be understood;
            `result-format`.
    """
    value = read_cbor(raw, what="the token")
    for tag in (CWT_TAG, SIGN1_TAG):
        if isinstance(value, Tagged) and value.tag == tag:
            value = value.value
    match value:
        case (bytes() as protected, dict(), bytes() as claims, bytes() as signature):
            pass
        case _:
            raise ResultFormatError("the token is no COSE_Sign1")
    header = read_cbor(protected, what="the header")
    if not isinstance(header, dict):
        raise ResultFormatError("the header is no map")
    if header.get(_ALGORITHM) != ES384 or _CRITICAL in header:
        raise ResultFormatError(
            "the token is not signed as it must be",
            code="result-algorithm",
            found="a header parameter that must be understood"
            if _CRITICAL in header
            else str(header.get(_ALGORITHM))[:64],
            wanted=f"{ES384} (ES384)",
        )
    if header.get(_TYPE, TYPE) != TYPE:
        raise ResultFormatError("this is another kind of token", found=str(header[_TYPE])[:64], wanted=TYPE)
    return UnverifiedEnvelope(
        chain=_chain(header.get(_CHAIN)),
        message=signature_structure(protected, claims),
        signature=signature,
        claims=claims,
    )


def read_cbor(data: bytes, *, what: str) -> Value:
    """Return the value of strict CBOR: shortest forms, no duplicate keys, nothing after it.

    Raises:
        ResultFormatError: It is none.
    """
    try:
        return decode(data, subject=what)
    except EvidenceFormatError as error:
        raise ResultFormatError(error.message, found=error.found) from error


def _chain(value: Value) -> tuple[bytes, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, tuple) else (value,)
    chain = tuple(item for item in items if isinstance(item, bytes))
    if len(chain) != len(items) or not 0 < len(chain) <= MAX_CERTIFICATES:
        raise ResultFormatError("`x5chain` is no chain", wanted=f"1 to {MAX_CERTIFICATES} certificates")
    return chain
