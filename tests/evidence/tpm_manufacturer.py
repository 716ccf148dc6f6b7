"""A manufacturer of TPMs, for EK certificates of software TPMs: RSA and elliptic, after the TCG's profile."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from sealmesh.attestation import Family, TrustRoot


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def usage(*names: str) -> x509.KeyUsage:
    every = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{each: each in names for each in every})


def certificate(subject: str, key: Any, issuer: str, issuer_key: Any, *, ca: bool) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if ca:
        return builder.add_extension(usage("key_cert_sign", "crl_sign"), critical=True).sign(
            issuer_key, SHA256()
        )
    purpose = "key_encipherment" if isinstance(key, rsa.RSAPublicKey) else "key_agreement"
    return (
        builder.add_extension(usage(purpose), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ObjectIdentifier("2.23.133.8.1")]), critical=False)
        .sign(issuer_key, SHA256())
    )


@dataclass(frozen=True)
class Manufacturer:
    """A root and a CA under it."""

    title: str
    root_key: ec.EllipticCurvePrivateKey
    ca_key: ec.EllipticCurvePrivateKey
    root: x509.Certificate
    ca: x509.Certificate

    @classmethod
    def create(cls, title: str) -> "Manufacturer":
        root_key, ca_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root, ca = f"{title} Root", f"{title} CA"
        return cls(
            title,
            root_key,
            ca_key,
            certificate(root, root_key.public_key(), root, root_key, ca=True),
            certificate(ca, ca_key.public_key(), root, root_key, ca=True),
        )

    def endorse(self, endorsement_key: Any) -> bytes:
        """Return an EK certificate, DER."""
        issued = certificate("TPM", endorsement_key, f"{self.title} CA", self.ca_key, ca=False)
        return issued.public_bytes(Encoding.DER)

    @property
    def trust_root(self) -> TrustRoot:
        digest = sha256(self.root.public_bytes(Encoding.DER)).digest()
        return TrustRoot(name=self.title, family=Family.TPM, sha256=digest)

    @property
    def pem(self) -> bytes:
        """What an operator puts into tpm.pem."""
        return self.ca.public_bytes(Encoding.PEM) + self.root.public_bytes(Encoding.PEM)
