"""Secrets: what is generated, uploaded and certified."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sealmesh.manifest.model.marble import IpAddress


class SecretType(StrEnum):
    """Kinds of secrets, in the manifest's spelling (exact case)."""

    SYMMETRIC_KEY = "symmetric-key"
    CERT_RSA = "cert-rsa"
    CERT_ECDSA = "cert-ecdsa"
    CERT_ED25519 = "cert-ed25519"
    PLAIN = "plain"

    @property
    def is_certificate(self) -> bool:
        """Whether a secret of this type has a certificate and a key pair."""
        return self in (SecretType.CERT_RSA, SecretType.CERT_ECDSA, SecretType.CERT_ED25519)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectTemplate:
    """The subject of a certificate secret; empty attributes are left out."""

    common_name: str = ""
    serial_number: str = ""
    country: tuple[str, ...] = ()
    organization: tuple[str, ...] = ()
    organizational_unit: tuple[str, ...] = ()
    locality: tuple[str, ...] = ()
    province: tuple[str, ...] = ()
    street_address: tuple[str, ...] = ()
    postal_code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateTemplate:
    """What a manifest says about a certificate secret (COMPAT section 9, `Cert`).

    None means "not given", so that the default applies; an empty tuple was given as an empty list.

    Attributes:
        uris: Whole URIs, put together from Go's `{Scheme, Host, Path, ...}`.
        key_usage: Bit set of Go's `x509.KeyUsage`: 1 digitalSignature ... 32 keyCertSign; 0: default.
        ext_key_usage: Go's numbers: 0 any, 1 server, 2 client, 3 code signing, 4 e-mail, 8 time stamping,
            9 OCSP signing.
        max_path_len: Go's: 0 without `max_path_len_zero` and -1 mean no path length.
        not_after: Aware, UTC; excludes `SecretDefinition.valid_for`.
    """

    subject: SubjectTemplate = field(default_factory=SubjectTemplate)
    dns_names: tuple[str, ...] | None = None
    ip_addresses: tuple[IpAddress, ...] | None = None
    email_addresses: tuple[str, ...] | None = None
    uris: tuple[str, ...] | None = None
    key_usage: int = 0
    ext_key_usage: tuple[int, ...] | None = None
    is_ca: bool = False
    max_path_len: int = 0
    max_path_len_zero: bool = False
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretDefinition:
    """One secret (COMPAT section 9).

    Attributes:
        size: Bits; 0 if not given.
        valid_for: Days; 0 if not given (then 365, or `certificate.not_after`).
        certificate: None if the manifest has no `Cert`.
    """

    type: SecretType
    size: int = 0
    shared: bool = False
    user_defined: bool = False
    valid_for: int = 0
    certificate: CertificateTemplate | None = None

    def same_definition(self, other: "SecretDefinition") -> bool:
        """Tell whether an update keeps the secret's value (COMPAT section 10); `Cert` does not count."""
        return (self.type, self.size, self.shared, self.user_defined, self.valid_for) == (
            other.type,
            other.size,
            other.shared,
            other.user_defined,
            other.valid_for,
        )
