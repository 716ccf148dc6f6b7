"""The envelope around Evidence for which no vendor defines one: self-described CBOR, a map with `type`.

Source: RFC 8949 section 3.4.6 (tag 55799). The types are sealmesh's: a TPM gives quote, signature, PCR
values and log each on its own, a GPU its measurements and its certificates.
"""

from collections.abc import Mapping

from sealmesh.attestation.cbor import Tagged, decode, encode_bytes, encode_head, encode_text
from sealmesh.attestation.claim_map import ClaimMap

SELF_DESCRIBED = 55799
_PREFIX = b"\xd9\xd9\xf7"
_TYPE = "type"

Member = bytes | tuple["Member", ...] | Mapping[int, "Member"]
"""What a member of an envelope can be."""


def opens_envelope(raw: bytes, kind: str) -> bool:
    """Return whether `raw` could be an envelope of this type: `type` is its first member."""
    if not raw.startswith(_PREFIX):
        return False
    return raw.startswith(encode_text(_TYPE) + encode_text(kind), len(_PREFIX) + 1)


def open_envelope(raw: bytes, kind: str, *, subject: str, members: frozenset[str]) -> ClaimMap:
    """Return the members of an envelope.

    Args:
        raw: The envelope.
        kind: Its type.
        subject: What it is called in errors.
        members: Those that may be there.

    Raises:
        EvidenceFormatError: `format:<subject>`.
    """
    value = decode(raw, subject=subject)
    content = value.value if isinstance(value, Tagged) and value.tag == SELF_DESCRIBED else None
    claims = ClaimMap(content, subject)
    claims.only(members | {_TYPE})
    if claims.get(_TYPE) != kind:
        claims.refuse(_TYPE, kind)
    return claims


def encode_envelope(kind: str, members: Mapping[str, Member]) -> bytes:
    """Return the envelope of this type with these members."""
    parts = [encode_text(_TYPE) + encode_text(kind)]
    parts += [encode_text(name) + _encode(value) for name, value in members.items()]
    return _PREFIX + encode_head(5, len(parts)) + b"".join(parts)


def _encode(value: Member) -> bytes:
    if isinstance(value, bytes):
        return encode_bytes(value)
    if isinstance(value, tuple):
        return encode_head(4, len(value)) + b"".join(map(_encode, value))
    entries = (encode_head(0, key) + _encode(inner) for key, inner in value.items())
    return encode_head(5, len(value)) + b"".join(entries)
