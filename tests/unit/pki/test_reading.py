"""What is read from DER without the library."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sealmesh.pki import subject_public_key
from sealmesh.pki.identity import spki

KEYS: dict[str, CertificatePublicKeyTypes] = {
    "P-256": ec.generate_private_key(ec.SECP256R1()).public_key(),
    "P-384": ec.generate_private_key(ec.SECP384R1()).public_key(),
    "P-521": ec.generate_private_key(ec.SECP521R1()).public_key(),
    "RSA": rsa.generate_private_key(65537, 2048).public_key(),
    "Ed25519": ed25519.Ed25519PrivateKey.generate().public_key(),
}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("subject_size", [1, 64, 1000])
def test_the_key_in_a_certificate_is_found_whatever_stands_before_it(kind: str, subject_size: int) -> None:
    name = x509.Name(
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "u" * min(60, subject_size - at))
        for at in range(0, subject_size, 60)
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .subject_name(name)
        .public_key(KEYS[kind])
        .serial_number(2**150 + 7 if subject_size > 1 else 1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )

    assert subject_public_key(certificate.public_bytes(Encoding.DER)) == spki(KEYS[kind])
