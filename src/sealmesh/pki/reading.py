"""Read X.509 structures: what can go wrong, and what the library leaves unchecked."""

from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

#: Everything that reading a certificate, a request or a key may raise, at once or when a field is looked at.
UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
)

#: AlgorithmIdentifier of ecdsa-with-SHA384 (RFC 5758, 3.2), with which a mesh signs everything.
ECDSA_WITH_SHA384: Final = bytes.fromhex("300a06082a8648ce3d040303")
_LONG_LENGTH: Final = 0x80
_EXPLICIT_VERSION: Final = 0xA0


def is_mesh_signed(certificate: x509.Certificate) -> bool:
    """Tell whether `certificate` states ecdsa-with-SHA384 in both places (RFC 5280, 4.1.1.2 and 4.1.2.3).

    The library verifies by the one inside the signed part and does not look at the other. No signature is
    verified here.
    """
    der = certificate.public_bytes(Encoding.DER)
    signed = certificate.tbs_certificate_bytes
    outer = _header_size(der) + len(signed)
    # Inside: header, version (5 bytes), serial number, algorithm.
    inner = _header_size(signed) + 5
    inner += 2 + signed[inner + 1]
    length = len(ECDSA_WITH_SHA384)
    return (
        der[outer : outer + length] == ECDSA_WITH_SHA384
        and signed[inner : inner + length] == ECDSA_WITH_SHA384
        and is_whole(der, certificate.signature)
    )


@dataclass(frozen=True, slots=True)
class SignedFields:
    """Fields of a certificate's signed part as they stand there, in DER (RFC 5280, 4.1).

    Attributes:
        version: Empty where the certificate states none.
        extensions: All that follows the key: unique identifiers too, of which a mesh issues none.
    """

    version: bytes
    issuer: bytes
    subject: bytes
    public_key: bytes
    extensions: bytes


def signed_fields(der: bytes) -> SignedFields:
    """Return the fields of a certificate that was parsed before.

    Names and key are not read: to read a key on P-384 and write it again takes 30 microseconds, this 3.
    """
    begin = _header_size(der)
    end = _after(der, begin)
    begin += _header_size(der, begin)
    serial = _after(der, begin) if der[begin] == _EXPLICIT_VERSION else begin
    issuer = _after(der, _after(der, serial))  # after the serial number and the algorithm
    validity = _after(der, issuer)
    subject = _after(der, validity)
    public_key = _after(der, subject)
    extensions = _after(der, public_key)
    return SignedFields(
        version=der[begin:serial],
        issuer=der[issuer:validity],
        subject=der[subject:public_key],
        public_key=der[public_key:extensions],
        extensions=der[extensions:end],
    )


def requested(der: bytes) -> tuple[bytes, bytes]:
    """Return subject and attributes, in DER, of a certificate request that was parsed (RFC 2986, 4.1)."""
    at = _header_size(der)
    end = _after(der, at)
    subject = _after(der, at + _header_size(der, at))  # after the version
    public_key = _after(der, subject)
    return der[subject:public_key], der[_after(der, public_key) : end]


def subject_public_key(der: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a certificate that was parsed before."""
    return signed_fields(der).public_key


def is_whole(der: bytes, signature: bytes) -> bool:
    """Tell whether the BIT STRING that ends `der` says, as it must, that it has no unused bits."""
    return der[-len(signature) - 1] == 0


def _header_size(der: bytes, at: int = 0) -> int:
    length = der[at + 1]
    return 2 + (length & ~_LONG_LENGTH if length & _LONG_LENGTH else 0)


def _after(der: bytes, at: int) -> int:
    """Return where the element that begins at `at` ends; its tag is one byte."""
    length = der[at + 1]
    if not length & _LONG_LENGTH:
        return at + 2 + length
    content = at + 2 + (length & ~_LONG_LENGTH)
    return content + int.from_bytes(der[at + 2 : content], "big")
