"""What a Marble has once it is a member of its mesh: verified, and in one piece.

Attributes named `*_pem` are PEM text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sealmesh.dataplane.configuration import IncomingRule, OutgoingRule
from sealmesh.policy import AccessPolicy


@dataclass(frozen=True, slots=True)
class TlsRules:
    """The Marble's TLS tags: where it listens and whom it dials."""

    incoming: tuple[IncomingRule, ...] = ()
    outgoing: tuple[OutgoingRule, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is none."""
        return not self.incoming and not self.outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A certificate and what stands or falls with it; a renewal replaces all of it.

    Attributes:
        certificate_chain_pem: The leaf, then the intermediate.
        key_pem: Of the leaf, PKCS #8.
        coordinator_root: DER of the attested root.
        spiffe_id: In the leaf; None under a Coordinator that gives none (MarbleRun).
        renew_after: When to ask for the next one; None: it cannot be renewed.
    """

    certificate_chain_pem: str
    key_pem: str = field(repr=False)
    marble_root_pem: str
    coordinator_root: bytes
    trust_domain: str
    spiffe_id: str | None
    policy: AccessPolicy
    tls: TlsRules
    not_after: datetime
    renew_after: datetime | None
    simulation: bool
    relaxations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What the manifest gives this Marble. Values may be secrets."""

    files: Mapping[str, bytes] = field(repr=False)
    env: Mapping[str, bytes] = field(repr=False)
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A successful activation."""

    credentials: Credentials
    parameters: Parameters
