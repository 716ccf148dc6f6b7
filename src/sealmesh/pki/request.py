"""Certificate requests (PKCS #10, RFC 2986), read strictly.

A request says which key, which subject and which names a Marble would like. Everything else in it, such as
other extensions and other kinds of names, has no way into a certificate and is passed over.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import SignatureAlgorithmOID

from sealmesh.errors.pki import CertificateRequestError
from sealmesh.pki.p384 import verify
from sealmesh.pki.profile import IpAddress
from sealmesh.pki.reading import UNREADABLE, is_whole, requested

#: A request with an RSA-4096 key and 100 long names stays below; parsing cost is linear in the size.
MAX_REQUEST_BYTES: Final = 16_384
#: Names and addresses together; each is repeated in a certificate that every peer receives.
MAX_NAMES: Final = 100
#: RFC 1035, 2.3.4, without the final dot.
MAX_DNS_NAME: Final = 253
MAX_SUBJECT_ATTRIBUTES: Final = 32
MIN_RSA_BITS: Final = 2048
#: Larger keys only make every peer's verification slow.
MAX_RSA_BITS: Final = 8192

#: What strangers ask for is remembered too, so few and short ones only.
_WISHES_KEPT: Final = 256
_MAX_WISHES_BYTES: Final = 1024
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DNS_NAME: Final = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_ECDSA: Final = (
    SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    SignatureAlgorithmOID.ECDSA_WITH_SHA512,
)
_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """A request whose sender has shown that it holds the private key. Its wishes are not granted yet."""

    public_key: CertificatePublicKeyTypes
    subject: x509.Name
    dns_names: tuple[str, ...]
    ip_addresses: tuple[IpAddress, ...]


def parse_csr(der: bytes) -> CertificateRequest:
    """Read a request in DER and check its signature by its own key (proof of possession).

    Raises:
        CertificateRequestError: Not a request, beyond a limit, a key or name that is not allowed, or a
            signature that does not hold.
    """
    if len(der) > MAX_REQUEST_BYTES:
        raise CertificateRequestError(
            "The certificate request is too large",
            found=f"{len(der)} bytes",
            wanted=f"at most {MAX_REQUEST_BYTES}",
        )
    try:
        request = x509.load_der_x509_csr(der)
        public_key = _allowed_key(request)
        wishes = _wishes(request, der)
        proved = _is_signed_by(public_key, request) and is_whole(der, request.signature)
    except UNREADABLE as error:
        raise CertificateRequestError(
            "The certificate request cannot be read", found=str(error)[:200]
        ) from error
    if not proved:
        raise CertificateRequestError("The certificate request is not signed by the key it names")
    return CertificateRequest(
        public_key=public_key,
        subject=wishes.subject,
        dns_names=wishes.dns_names,
        ip_addresses=wishes.ip_addresses,
    )


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What is asked for besides the key. Marbles of one type ask for the same."""

    subject: x509.Name
    dns_names: tuple[str, ...]
    ip_addresses: tuple[IpAddress, ...]


_wishes_read: dict[tuple[bytes, bytes], _Wishes] = {}


def _wishes(request: x509.CertificateSigningRequest, der: bytes) -> _Wishes:
    """Return the wishes in `request`; read once for the bytes in which they stand."""
    key = requested(der)
    known = _wishes_read.get(key)
    if known is not None:
        return known
    subject = request.subject
    dns_names, ip_addresses = _names(request.extensions)
    if sum(len(rdn) for rdn in subject.rdns) > MAX_SUBJECT_ATTRIBUTES:
        raise CertificateRequestError("The request's subject has too many attributes")
    wishes = _Wishes(subject, dns_names, ip_addresses)
    if sum(map(len, key)) <= _MAX_WISHES_BYTES:
        if len(_wishes_read) >= _WISHES_KEPT:
            _wishes_read.clear()
        _wishes_read[key] = wishes
    return wishes


def _allowed_key(request: x509.CertificateSigningRequest) -> CertificatePublicKeyTypes:
    key = request.public_key()
    match key:
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, _CURVES):
            pass
        case rsa.RSAPublicKey() if MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            pass
        case ed25519.Ed25519PublicKey():
            return key
        case _:
            raise CertificateRequestError(
                "The request's key is not of an allowed kind",
                found=f"{type(key).__name__} of {getattr(key, 'key_size', '?')} bits",
                wanted=f"P-256, P-384, P-521, Ed25519 or RSA of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits",
            )
    if not isinstance(request.signature_hash_algorithm, _HASHES):
        raise CertificateRequestError("The request is not signed with SHA-2 of 256 bits or more")
    return key


def _is_signed_by(key: CertificatePublicKeyTypes, request: x509.CertificateSigningRequest) -> bool:
    algorithm = request.signature_hash_algorithm
    if (
        algorithm is None
        or not isinstance(key, ec.EllipticCurvePublicKey)
        or request.signature_algorithm_oid not in _ECDSA
    ):
        return request.is_signature_valid
    try:
        verify(key, request.signature, request.tbs_certrequest_bytes, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def _names(extensions: x509.Extensions) -> tuple[tuple[str, ...], tuple[IpAddress, ...]]:
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    dns_names = tuple(dict.fromkeys(names.get_values_for_type(x509.DNSName)))
    ip_addresses = tuple(dict.fromkeys(names.get_values_for_type(x509.IPAddress)))
    if len(dns_names) + len(ip_addresses) > MAX_NAMES:
        raise CertificateRequestError(
            "The certificate request has too many names",
            found=len(dns_names) + len(ip_addresses),
            wanted=f"at most {MAX_NAMES}",
        )
    return tuple(map(_dns_name, dns_names)), tuple(map(_address, ip_addresses))


def _dns_name(name: str) -> str:
    if len(name) > MAX_DNS_NAME or not _DNS_NAME.fullmatch(name):
        raise CertificateRequestError("Not a DNS name", found=repr(name[:80]))
    return name


def _address(address: IpAddress | IPv4Network | IPv6Network) -> IpAddress:
    if isinstance(address, IPv4Network | IPv6Network):
        raise CertificateRequestError("A network is not an address", found=address)
    return address
