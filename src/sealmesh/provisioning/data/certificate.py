"""A certificate as templates see it: Go's `x509.Certificate`, as far as COMPAT section 16 goes.

The DER is parsed only when a field of it is asked for; `pem`, `hex` and the like need `raw` alone.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from sealmesh.pki import SecretCertificateProfile
from sealmesh.pki.reading import UNREADABLE
from sealmesh.provisioning.data.moment import moment_value
from sealmesh.provisioning.data.names import name_value, subject_value
from sealmesh.provisioning.gotemplate import ByteSlice, FunctionError, Integer, Slice, Struct, StructOf, Value

__all__ = ["CertificateValue"]

#: OID -> Go's number and text of `x509.SignatureAlgorithm`.
_SIGNATURES = {
    "1.2.840.113549.1.1.5": (3, "SHA1-RSA"),
    "1.2.840.113549.1.1.11": (4, "SHA256-RSA"),
    "1.2.840.113549.1.1.12": (5, "SHA384-RSA"),
    "1.2.840.113549.1.1.13": (6, "SHA512-RSA"),
    "1.2.840.10045.4.1": (9, "ECDSA-SHA1"),
    "1.2.840.10045.4.3.2": (10, "ECDSA-SHA256"),
    "1.2.840.10045.4.3.3": (11, "ECDSA-SHA384"),
    "1.2.840.10045.4.3.4": (12, "ECDSA-SHA512"),
    "1.3.101.112": (16, "Ed25519"),
}
_KEYS: tuple[tuple[type, int, str], ...] = (
    (rsa.RSAPublicKey, 1, "RSA"),
    (dsa.DSAPublicKey, 2, "DSA"),
    (ec.EllipticCurvePublicKey, 3, "ECDSA"),
    (ed25519.Ed25519PublicKey, 4, "Ed25519"),
)
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_ZERO_TIME = datetime(1, 1, 1, tzinfo=UTC)


class CertificateValue(Struct):
    """One certificate. `raw` is its DER, empty for a secret that has none.

    Args:
        raw: DER.
        profile: For a placeholder: what the certificate will say, instead of what `raw` says.
    """

    go_type = "x509.Certificate"

    def __init__(self, raw: bytes, profile: SecretCertificateProfile | None = None) -> None:
        self.raw = raw
        self._profile = profile

    def names(self) -> Sequence[str]:
        raise FunctionError(
            "a whole certificate cannot be printed; use pem, hex or base64, or one of its fields"
        )

    def get(self, name: str) -> Value:
        return self._values[name]

    @cached_property
    def _values(self) -> Mapping[str, Value]:
        if self._profile is not None:
            fields = _of_profile(self._profile)
        elif self.raw:
            fields = _of_certificate(self.raw)
        else:
            fields = {}
        return {**_ZERO, **fields, "Raw": ByteSlice(self.raw)}


def _numbered(number: int, go_type: str, text: str) -> Integer:
    return Integer(number, go_type, text=(text or str(number)).encode())


def _strings(texts: Sequence[str]) -> Slice:
    return Slice(tuple(text.encode() for text in texts), "[]string")


def _addresses(addresses: Sequence[object]) -> Slice:
    # A network has no place in a certificate's names, and Go leaves such an entry out.
    found = [item for item in addresses if isinstance(item, IPv4Address | IPv6Address)]
    return Slice(tuple(ByteSlice(item.packed, "net.IP", str(item).encode()) for item in found), "[]net.IP")


def _uris(texts: Sequence[str]) -> Slice:
    return Slice(tuple(_uri(text) for text in texts), "[]*url.URL")


def _uri(text: str) -> Value:
    try:
        parts = urlsplit(text)
        fields = {"Scheme": parts.scheme, "Host": parts.netloc, "Path": parts.path}
    except ValueError:
        fields = {"Scheme": "", "Host": "", "Path": ""}
    return StructOf({name: value.encode() for name, value in fields.items()}, "*url.URL", text.encode())


_ZERO: Mapping[str, Value] = {
    "Subject": subject_value(),
    "Issuer": subject_value(),
    "DNSNames": _strings(()),
    "IPAddresses": _addresses(()),
    "EmailAddresses": _strings(()),
    "URIs": _uris(()),
    "NotBefore": moment_value(_ZERO_TIME),
    "NotAfter": moment_value(_ZERO_TIME),
    "IsCA": False,
    "MaxPathLen": 0,
    "MaxPathLenZero": False,
    "BasicConstraintsValid": False,
    "Version": 0,
    "SerialNumber": None,
    "SignatureAlgorithm": _numbered(0, "x509.SignatureAlgorithm", ""),
    "PublicKeyAlgorithm": _numbered(0, "x509.PublicKeyAlgorithm", ""),
    "KeyUsage": Integer(0, "x509.KeyUsage"),
}


def _of_certificate(raw: bytes) -> dict[str, Value]:
    try:
        certificate = x509.load_der_x509_certificate(raw)
        return {**_body(certificate), **_extensions(certificate.extensions)}
    except UNREADABLE as error:
        raise FunctionError("the certificate cannot be read") from error


def _body(certificate: x509.Certificate) -> dict[str, Value]:
    signature = _SIGNATURES.get(certificate.signature_algorithm_oid.dotted_string, (0, ""))
    public_key: object
    try:
        public_key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        public_key = None
    key = next(((number, text) for kind, number, text in _KEYS if isinstance(public_key, kind)), (0, ""))
    return {
        "Subject": name_value(certificate.subject),
        "Issuer": name_value(certificate.issuer),
        "NotBefore": moment_value(certificate.not_valid_before_utc),
        "NotAfter": moment_value(certificate.not_valid_after_utc),
        "Version": certificate.version.value + 1,
        "SerialNumber": _big(certificate.serial_number),
        "SignatureAlgorithm": _numbered(signature[0], "x509.SignatureAlgorithm", signature[1]),
        "PublicKeyAlgorithm": _numbered(key[0], "x509.PublicKeyAlgorithm", key[1]),
    }


def _big(number: int) -> Value:
    return StructOf({}, "*big.Int", str(number).encode())


def _extensions(extensions: x509.Extensions) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for extension in extensions:
        match extension.value:
            case x509.SubjectAlternativeName() as names:
                fields["DNSNames"] = _strings(names.get_values_for_type(x509.DNSName))
                fields["EmailAddresses"] = _strings(names.get_values_for_type(x509.RFC822Name))
                fields["IPAddresses"] = _addresses(names.get_values_for_type(x509.IPAddress))
                fields["URIs"] = _uris(names.get_values_for_type(x509.UniformResourceIdentifier))
            case x509.BasicConstraints() as basic:
                fields |= _basic(basic.ca, basic.path_length)
            case x509.KeyUsage() as usage:
                fields["KeyUsage"] = Integer(_usage_bits(usage), "x509.KeyUsage")
    return fields


def _usage_bits(usage: x509.KeyUsage) -> int:
    bits: int = sum(getattr(usage, name) << place for place, name in enumerate(_USAGES))
    if usage.key_agreement:
        bits |= usage.encipher_only << 7 | usage.decipher_only << 8
    return bits


def _basic(ca: bool, path_length: int | None) -> dict[str, Value]:
    return {
        "BasicConstraintsValid": True,
        "IsCA": ca,
        "MaxPathLen": -1 if path_length is None else path_length,
        "MaxPathLenZero": path_length == 0,
    }


def _of_profile(profile: SecretCertificateProfile) -> dict[str, Value]:
    subject = profile.subject
    return {
        "Subject": subject_value(
            CommonName=subject.common_name,
            SerialNumber=subject.serial_number,
            Country=subject.country,
            Organization=subject.organization,
            OrganizationalUnit=subject.organizational_unit,
            Locality=subject.locality,
            Province=subject.province,
            StreetAddress=subject.street_address,
            PostalCode=subject.postal_code,
        ),
        "Issuer": subject_value(CommonName="placeholder"),
        "DNSNames": _strings(profile.names.dns),
        "IPAddresses": _addresses(profile.names.ips),
        "EmailAddresses": _strings(profile.names.emails),
        "URIs": _uris(profile.names.uris),
        "NotAfter": moment_value(profile.not_after),
        "Version": 3,
        "SerialNumber": _big(1),
        "KeyUsage": Integer(profile.key_usage, "x509.KeyUsage"),
        **_basic(profile.is_ca, profile.path_length),
    }
