"""What a GPU signed: any SPDM exchange under a good signature."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from fuzz.evidence import signed_target
from fuzz.makers import evidence_maker
from sealmesh.attestation import encode_gpu_evidence

_SIGNATURE = 96


def _sign(exchange: bytes) -> bytes:
    """Return Evidence whose device signed `exchange`."""
    maker = evidence_maker().load("gpu")
    scalars = decode_dss_signature(maker.DEVICE_KEY.sign(exchange, ec.ECDSA(SHA384())))
    signature = b"".join(scalar.to_bytes(48, "big") for scalar in scalars)
    return encode_gpu_evidence(exchange=exchange + signature, chain=maker.CHAIN)


TARGET = signed_target(
    seeds=lambda: {"exchange": evidence_maker().load("gpu").Exchange().encode()[:-_SIGNATURE]},
    sign=_sign,
    genuine=lambda: evidence_maker().genuine("gpu"),
    words=(b"\x11\xe0\x01\xff", b"\x11\x60\0\0", b"\x03\0", b"\x06\0", b"\x14\0", b"\x24\0"),
)
