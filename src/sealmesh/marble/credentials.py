"""The Marble's own key: a certificate for the connection to the Coordinator, and a certificate request.

The key never leaves the process but to its own program. Evidence speaks about the SHA-256 of the TLS
client certificate of the very connection (COMPAT section 7), so it is useless to anybody without the key.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

#: Our own enrolment; a handshake with P-384 costs three to four times as much.
OWN_KEY_BITS: Final = 256
#: MarbleRun's Marbles (COMPAT section 7).
LEGACY_KEY_BITS: Final = 384
_CURVES: Final[dict[int, type[ec.EllipticCurve]]] = {256: ec.SECP256R1, 384: ec.SECP384R1}
_LIFETIME: Final = timedelta(days=1)
_BACKDATED: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class MarbleKey:
    """A private key of this Marble."""

    private: ec.EllipticCurvePrivateKey

    @classmethod
    def generate(cls, bits: int) -> "MarbleKey":
        """Make a new one on the NIST curve of that size."""
        return cls(ec.generate_private_key(_CURVES[bits]()))

    @property
    def pem(self) -> str:
        """PKCS #8, PEM."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def self_signed(self, *, now: datetime) -> x509.Certificate:
        """Return a certificate that says nothing, for a connection on which Evidence says it all."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sealmesh Marble")])
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + _LIFETIME)
            .sign(self.private, self._digest)
        )

    def request(self, names: tuple[str, ...]) -> bytes:
        """Return a certificate request (PKCS #10, DER) for DNS names and IP addresses."""
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        if names:
            alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self.private, self._digest).public_bytes(Encoding.DER)

    @property
    def _digest(self) -> hashes.SHA256 | hashes.SHA384:
        return hashes.SHA384() if self.private.key_size == LEGACY_KEY_BITS else hashes.SHA256()


def report_data(client_certificate: x509.Certificate) -> bytes:
    """Return what Evidence for a connection with this client certificate binds: its SHA-256."""
    return sha256(client_certificate.public_bytes(Encoding.DER)).digest()


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
