"""Updates of the manifest, and who approves what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReply:
    """Where an update stands. `applied` when nobody is missing any more.

    Attributes:
        missing_users: Names of users whose acknowledgment would count.
        recovery_secrets: None unless the recovery keys changed.
    """

    applied: bool
    missing_acknowledgments: int
    missing_users: tuple[str, ...] = ()
    recovery_secrets: Mapping[str, bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingUpdateReply:
    """The update that waits for acknowledgments."""

    raw: bytes
    missing_users: tuple[str, ...]
    missing_acknowledgments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalReply:
    """An approval that counts, and what its act still needs.

    Attributes:
        subject: 32 bytes in hex, see `approvals.subject`.
        missing: How many more have to approve the same.
        asked: Names of approvers who could.
    """

    id: str
    approver: str
    act: str
    subject: str
    reason: str
    not_after: datetime
    missing: int
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReply:
    """What one kind of act needs."""

    threshold: int
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GovernanceReply:
    """What approvals have to name, and the rules in force; public.

    Attributes:
        root: SHA-256 of the root certificate of the mesh, in hex. Of a state that waits for recovery it is
            that state's, where its manifest has rules for this.
        coordinator: SHA-256 of the root certificate that this Coordinator shows now, in hex.
        manifest: The fingerprint; None while the state cannot be read.
        keys: For each approver the SHA-256 of his public keys (SubjectPublicKeyInfo), in hex.
    """

    trust_domain: str
    root: str
    coordinator: str
    manifest: str | None
    epoch: int | None
    rules: Mapping[str, RuleReply]
    keys: Mapping[str, tuple[str, ...]]
