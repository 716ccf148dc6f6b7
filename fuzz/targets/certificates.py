"""Certificates as DER: read, also by the mesh's own profile, and verified in a chain."""

from contextlib import suppress

from cryptography.hazmat.primitives.serialization import Encoding

from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.attestation import Family, TrustRoot
from sealmesh.attestation.certification import parse_certificate, parse_pem_certificates
from sealmesh.attestation.certification.path import order_path, verify_path
from sealmesh.errors import SealmeshError


def _verify(data: bytes) -> None:
    """Read the bytes as PEM, else as one certificate in DER, and look for a path to the root."""
    with suppress(SealmeshError):
        parse_pem_certificates(data, subject="fuzz", most=4)
    verify_leaf(data)


def verify_leaf(der: bytes) -> None:
    """Verify a certificate under the CA and root of simulated GPUs."""
    maker = evidence_maker().load("gpu")
    leaf = parse_certificate(der, subject="fuzz")
    above = [
        parse_certificate(one.public_bytes(Encoding.DER), subject="ca") for one in (maker.CA, maker.ROOT)
    ]
    root = TrustRoot(name="fuzz", family=Family.GPU, sha256=maker.ROOT_SHA256)
    path = order_path(leaf, above)
    verify_path(path, subjects=["leaf", "ca", "root"][-len(path) :], roots=[root], now=maker.NOW)


TARGET = Target(
    run=_verify,
    seeds=lambda: {"device": evidence_maker().load("gpu").DEVICE.public_bytes(Encoding.DER)},
    words=(
        b"\x06\x03\x55\x1d\x0f",
        b"\x06\x03\x55\x1d\x13",
        b"\x17\x0d310101000000Z",
        b"\x30\x82",
        b"\x30\x80",
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----END CERTIFICATE-----\n",
    ),
)
