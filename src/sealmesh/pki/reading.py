"""Read X.509 structures: what can go wrong, and what the library leaves unchecked."""

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
)

#: AlgorithmIdentifier of ecdsa-with-SHA384 (RFC 5758, 3.2), with which a mesh signs everything.
_ECDSA_WITH_SHA384: Final = bytes.fromhex("300a06082a8648ce3d040303")
_LONG_LENGTH: Final = 0x80


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
    length = len(_ECDSA_WITH_SHA384)
    return (
        der[outer : outer + length] == _ECDSA_WITH_SHA384
        and signed[inner : inner + length] == _ECDSA_WITH_SHA384
        and is_whole(der, certificate.signature)
    )


def is_whole(der: bytes, signature: bytes) -> bool:
    """Tell whether the BIT STRING that ends `der` says, as it must, that it has no unused bits."""
    return der[-len(signature) - 1] == 0


def _header_size(der: bytes) -> int:
    return 2 + (der[1] & ~_LONG_LENGTH if der[1] & _LONG_LENGTH else 0)
