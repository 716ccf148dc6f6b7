"""What a Nitro hypervisor signed: any payload under a good signature."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from fuzz.evidence import signed_target
from fuzz.makers import evidence_maker
from sealmesh.attestation.cbor import decode, encode_bytes, encode_head
from sealmesh.attestation.cose import signature_structure

_PROTECTED = bytes.fromhex("a1013822")


def _sign(payload: bytes) -> bytes:
    """Return a document with `payload`."""
    key = evidence_maker().machines().hypervisor.key
    message = signature_structure(_PROTECTED, payload)
    scalars = decode_dss_signature(key.sign(message, ec.ECDSA(SHA384())))
    signature = b"".join(scalar.to_bytes(48, "big") for scalar in scalars)
    parts = (encode_bytes(_PROTECTED), encode_head(5, 0), encode_bytes(payload), encode_bytes(signature))
    return encode_head(4, len(parts)) + b"".join(parts)


def _payload() -> bytes:
    document = decode(evidence_maker().genuine("nitro").raw, subject="seed")
    if not isinstance(document, list | tuple) or not isinstance(document[2], bytes):
        raise TypeError("a document is a list with the payload as its third item")
    return document[2]


TARGET = signed_target(
    seeds=lambda: {"payload": _payload()},
    sign=_sign,
    genuine=lambda: evidence_maker().genuine("nitro"),
    words=(b"dpcrs", b"hcabundle", b"kcertificate", b"itimestamp", b"fdigest", b"enonce", b"jpublic_key"),
)
