"""The data root of a template: `.MarbleRun`, `.Secrets`, `.Previous.Secrets`, `.SecretsWrapper`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sealmesh.pki import Authority, SecretCertificateProfile
from sealmesh.provisioning.data.certificate import CertificateValue
from sealmesh.provisioning.gotemplate import (
    NO_VALUE,
    ByteSlice,
    FunctionError,
    Integer,
    Map,
    Struct,
    StructOf,
    Value,
)
from sealmesh.provisioning.secret import Secret

__all__ = ["PRIVATE_TYPE", "PUBLIC_TYPE", "MarbleRunSecrets", "SecretValue", "data_root"]

PRIVATE_TYPE = "manifest.PrivateKey"
PUBLIC_TYPE = "manifest.PublicKey"
_FIELDS = ("Type", "Size", "Shared", "UserDefined", "Cert", "ValidFor", "Private", "Public")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarbleRunSecrets:
    """The values under `.MarbleRun`, as DER.

    Attributes:
        root_ca: The Marble root.
        marble_private: PKCS #8; empty where the Marble keeps its own key (our enrolment).
    """

    root_ca: bytes
    marble_cert: bytes
    marble_private: bytes = field(repr=False)
    marble_public: bytes
    coordinator_root: bytes
    coordinator_intermediate: bytes

    @classmethod
    def of(
        cls, authority: Authority, *, leaf: x509.Certificate, key: ec.EllipticCurvePrivateKey | None
    ) -> "MarbleRunSecrets":
        """Return the values for one Marble; `key` is None where the Marble made it and keeps it."""
        private = b""
        if key is not None:
            private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return cls(
            root_ca=authority.marble_root_der,
            marble_cert=leaf.public_bytes(Encoding.DER),
            marble_private=private,
            marble_public=leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            coordinator_root=authority.root_der,
            coordinator_intermediate=authority.intermediate_der,
        )


class SecretValue(Struct):
    """One secret, seen from a template; fields are made when they are asked for."""

    __slots__ = ("_profile", "secret")
    go_type = "manifest.Secret"

    def __init__(self, secret: Secret | None, profile: SecretCertificateProfile | None = None) -> None:
        self.secret = secret
        self._profile = profile

    @property
    def public(self) -> bytes:
        """What `hex`, `base64` and `raw` take of a whole secret."""
        return self.secret.public if self.secret else b""

    def names(self) -> Sequence[str]:
        raise FunctionError("a whole secret cannot be printed; use hex, base64 or one of its fields")

    def get(self, name: str) -> Value:
        secret = self.secret
        match name:
            case "Private":
                return ByteSlice(secret.private if secret else b"", PRIVATE_TYPE)
            case "Public":
                return ByteSlice(secret.public if secret else b"", PUBLIC_TYPE)
            case "Cert":
                return CertificateValue((secret.cert if secret else None) or b"", self._profile)
            case "Type":
                return secret.type.value.encode() if secret else b""
            case "Size":
                return Integer(secret.size if secret else 0, "uint", unsigned=True)
            case "ValidFor":
                return Integer(secret.valid_for if secret else 0, "uint", unsigned=True)
            case "Shared":
                return bool(secret and secret.shared)
            case "UserDefined":
                return bool(secret and secret.user_defined)
        raise KeyError(name)


class _Secrets(Map):
    """All secrets by name; a value is looked up only when a template names it."""

    __slots__ = ("_profiles", "_secrets")
    go_type = "map[string]manifest.Secret"
    zero = SecretValue(None)

    def __init__(
        self, secrets: Mapping[str, Secret], profiles: Mapping[str, SecretCertificateProfile]
    ) -> None:
        self._secrets = secrets
        self._profiles = profiles

    def lookup(self, key: bytes | int) -> Value:
        name = key.decode("utf-8", "surrogateescape") if isinstance(key, bytes) else ""
        try:
            secret = self._secrets[name]
        except KeyError:
            return NO_VALUE
        return SecretValue(secret, self._profiles.get(name))

    def keys(self) -> Iterable[bytes | int]:
        return [name.encode() for name in self._secrets]

    def __len__(self) -> int:
        return len(self._secrets)


class _Special(SecretValue):
    """A value under `.MarbleRun`: certificate and perhaps a key pair, all else zero."""

    __slots__ = ("_cert", "_private", "_public")

    def __init__(self, cert: bytes, private: bytes = b"", public: bytes = b"") -> None:
        super().__init__(None)
        self._cert = cert
        self._private = private
        self._public = public

    @property
    def public(self) -> bytes:
        return self._public

    def get(self, name: str) -> Value:
        match name:
            case "Cert":
                return CertificateValue(self._cert)
            case "Private":
                return ByteSlice(self._private, PRIVATE_TYPE)
            case "Public":
                return ByteSlice(self._public, PUBLIC_TYPE)
        return super().get(name)


_NO_PROFILES: Mapping[str, SecretCertificateProfile] = {}


def data_root(
    special: MarbleRunSecrets,
    *,
    secrets: Mapping[str, Secret],
    previous: Mapping[str, Secret],
    profiles: Mapping[str, SecretCertificateProfile] = _NO_PROFILES,
) -> Value:
    """Return the data that templates are executed over.

    Args:
        special: The values under `.MarbleRun`.
        secrets: The current values, by name; may look them up on demand.
        previous: Those before the last update.
        profiles: For a trial: what certificates will say once they are made.
    """
    marble_run: Value = StructOf(
        {
            "RootCA": _Special(special.root_ca),
            "MarbleCert": _Special(special.marble_cert, special.marble_private, special.marble_public),
            "CoordinatorRoot": _Special(special.coordinator_root),
            "CoordinatorIntermediate": _Special(special.coordinator_intermediate),
        },
        "reservedSecrets",
    )
    current: dict[str, Value] = {"MarbleRun": marble_run, "Secrets": _Secrets(secrets, profiles)}
    return StructOf(
        {
            **current,
            "Previous": StructOf({"Secrets": _Secrets(previous, profiles)}, "previousSecrets"),
            "SecretsWrapper": StructOf(current, "secretsWrapper"),
        },
        "templateData",
    )
