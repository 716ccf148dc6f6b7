"""Revocation lists, as they come and with any content under a good signature."""

from contextlib import suppress

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from fuzz.der import ECDSA_SHA384, bits, sequence
from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.attestation.certification import parse_certificate
from sealmesh.attestation.certification.revocation import verify_revocation_list
from sealmesh.errors import SealmeshError


def _verify(content: bytes) -> None:
    """Verify the bytes as a whole list, then as the signed part of one."""
    maker = evidence_maker().load("gpu")
    issuer = parse_certificate(maker.ROOT.public_bytes(Encoding.DER), subject="root")
    with suppress(SealmeshError):
        verify_revocation_list(content, issuer, subject="crl", now=maker.NOW)
    signature = maker.ROOT_KEY.sign(content, ec.ECDSA(SHA384()))
    whole = sequence(content, ECDSA_SHA384, bits(signature))
    verify_revocation_list(whole, issuer, subject="crl", now=maker.NOW)


def _seeds() -> dict[str, bytes]:
    crl = evidence_maker().load("gpu").crl
    lists = {"empty": crl(), "with entries": crl(1, 2, 2**60)}
    return {name: x509.load_der_x509_crl(der).tbs_certlist_bytes for name, der in lists.items()}


TARGET = Target(
    run=_verify,
    seeds=_seeds,
    words=(b"\x06\x03\x55\x1d\x1c", b"\x06\x03\x55\x1d\x14", b"\x17\x0d310101000000Z"),
)
