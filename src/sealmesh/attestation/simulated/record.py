"""A simulated platform as bytes, with its private keys: for a private file and nothing else."""

import json

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sealmesh.attestation.dcap.certificates import MALFORMED
from sealmesh.attestation.dcap.pck import parse_pck_platform
from sealmesh.attestation.simulated.platform import SimulatedPlatform
from sealmesh.attestation.simulated.vendor import KeyWithCertificate, SimulatedVendor
from sealmesh.errors.attestation import AttestationError, PlatformError

_FORMAT = "sealmesh-simulated-platform-v1"


def encode_platform(platform: SimulatedPlatform) -> bytes:
    """Return a JSON document that holds the platform, private keys included."""
    vendor = platform.vendor
    document = {
        "format": _FORMAT,
        "warning": "simulation: whoever reads this file can make Evidence of anything",
        "root": _pair(vendor.root),
        "pckCA": _pair(vendor.pck_ca),
        "tcbSigner": _pair(vendor.tcb_signer),
        "pck": _pair(platform.pck),
        "attestationKey": _key_pem(platform.attestation_key),
        "sealSecret": platform.seal_secret.hex(),
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def parse_platform(raw: bytes) -> SimulatedPlatform:
    """Return the platform that `encode_platform` wrote.

    Raises:
        PlatformError: `platform:damaged`.
    """
    try:
        document = json.loads(raw)
        if document["format"] != _FORMAT:
            raise ValueError("another format")
        pck = _parse_pair(document["pck"])
        seal_secret = bytes.fromhex(document["sealSecret"])
        if len(seal_secret) != 32:
            raise ValueError("a seal secret of another length")
        return SimulatedPlatform(
            vendor=SimulatedVendor(
                root=_parse_pair(document["root"]),
                pck_ca=_parse_pair(document["pckCA"]),
                tcb_signer=_parse_pair(document["tcbSigner"]),
            ),
            identity=parse_pck_platform(pck.certificate.extensions),
            pck=pck,
            attestation_key=_parse_key(document["attestationKey"]),
            seal_secret=seal_secret,
        )
    except (*MALFORMED, KeyError, AttributeError, RecursionError, AttestationError) as error:
        raise PlatformError(
            "the simulated platform's file is damaged",
            code="platform:damaged",
            remedy="Restore the file, or delete the platform directory: a new platform has a new trust "
            "root and new seal keys, so what the old one sealed needs recovery.",
        ) from error


def _pair(pair: KeyWithCertificate) -> dict[str, str]:
    return {"key": _key_pem(pair.key), "certificate": pair.pem.decode()}


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _parse_pair(document: dict[str, str]) -> KeyWithCertificate:
    certificate = x509.load_pem_x509_certificate(document["certificate"].encode())
    key = _parse_key(document["key"])
    if certificate.public_key() != key.public_key():
        raise ValueError("a key without its certificate")
    return KeyWithCertificate(key=key, certificate=certificate)


def _parse_key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("a key of another kind")
    return key
