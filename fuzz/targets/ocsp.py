"""OCSP responses about a device's certificate, as they come and with any content under a good signature."""

from contextlib import suppress
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from fuzz.der import ECDSA_SHA384, bits, enumerated, octets, sequence, tagged
from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.attestation.certification import parse_certificate, verify_ocsp_response
from sealmesh.errors import SealmeshError

_BASIC = bytes.fromhex("06092b0601050507300101")


def _verify(content: bytes) -> None:
    """Verify the bytes as a whole response, then as what the CA signed."""
    with suppress(SealmeshError):
        _verify_whole(content)
    signature = evidence_maker().load("gpu").CA_KEY.sign(content, ec.ECDSA(SHA384()))
    basic = sequence(content, ECDSA_SHA384, bits(signature))
    _verify_whole(sequence(enumerated(0), tagged(0, sequence(_BASIC, octets(basic)))))


def _verify_whole(der: bytes) -> None:
    maker = evidence_maker().load("gpu")
    device, issuer = (
        parse_certificate(one.public_bytes(Encoding.DER), subject="fuzz") for one in (maker.DEVICE, maker.CA)
    )
    verify_ocsp_response(der, device, issuer, subject="fuzz", now=maker.NOW)


def _content() -> bytes:
    """Return what a CA signs when it calls a device good."""
    maker = evidence_maker().load("gpu")
    until = maker.NOW + timedelta(days=1)
    builder = ocsp.OCSPResponseBuilder().add_response(
        maker.DEVICE, maker.CA, SHA256(), ocsp.OCSPCertStatus.GOOD, maker.NOW, until, None, None
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, maker.CA)
    return builder.sign(maker.CA_KEY, SHA384()).tbs_response_bytes


TARGET = Target(
    run=_verify,
    seeds=lambda: {"good": _content()},
    words=(b"\x80\x00", b"\x82\x00", b"\xa1\x11", b"\x18\x0f20310301120000Z", b"\xa0\x11", b"\x30\x82"),
)
