"""Certificates with any content under a CA's good signature."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384

from fuzz.der import ECDSA_SHA384, bits, sequence
from fuzz.makers import evidence_maker
from fuzz.target import Target
from fuzz.targets.certificates import verify_leaf


def _sign(content: bytes) -> bytes:
    signature = evidence_maker().load("gpu").CA_KEY.sign(content, ec.ECDSA(SHA384()))
    return sequence(content, ECDSA_SHA384, bits(signature))


TARGET = Target(
    run=lambda content: verify_leaf(_sign(content)),
    seeds=lambda: {"device": evidence_maker().load("gpu").DEVICE.tbs_certificate_bytes},
    words=(b"\x06\x03\x55\x1d\x0f", b"\x06\x03\x55\x1d\x13", b"\x17\x0d310101000000Z", b"\x01\x01\xff"),
)
