"""Users, roles and recovery keys: who may decide."""

from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, known by exact equality of the certificate (COMPAT section 3).

    No expiry, chain or key strength of the certificate is looked at. Equality is by `der` and `roles`.
    """

    der: bytes
    roles: tuple[str, ...] = ()
    certificate: Certificate = field(compare=False, repr=False)


class ResourceType(StrEnum):
    """What a role is about (exact case)."""

    PACKAGES = "Packages"
    SECRETS = "Secrets"
    MANIFEST = "Manifest"


class Action(StrEnum):
    """What a role permits (read in any case)."""

    UPDATE_SECURITY_VERSION = "UpdateSecurityVersion"
    READ_SECRET = "ReadSecret"  # noqa: S105
    WRITE_SECRET = "WriteSecret"  # noqa: S105
    UPDATE_MANIFEST = "UpdateManifest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A set of actions on named resources."""

    resource_type: ResourceType
    resource_names: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()

    @property
    def may_update_manifest(self) -> bool:
        """Whether its holders count for `UpdateThreshold`: the *first* action decides (COMPAT 8)."""
        return self.resource_type is ResourceType.MANIFEST and self.actions[:1] == (Action.UPDATE_MANIFEST,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryKey:
    """An RSA public key that a recovery share is encrypted to. Equality is by `der` (PKIX)."""

    der: bytes
    public_key: RSAPublicKey = field(compare=False, repr=False)
