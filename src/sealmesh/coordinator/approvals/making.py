"""Make an approval: offline, with a key that may be in a token."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from sealmesh.coordinator.approvals.document import (
    ID_BYTES,
    Approval,
    SignedApproval,
    check_reason,
    encode_approval,
    signed_message,
)
from sealmesh.coordinator.approvals.mesh import ManifestEpoch, Mesh
from sealmesh.coordinator.approvals.signature import verify_signature
from sealmesh.coordinator.approvals.verification import UNREADABLE_STATE
from sealmesh.errors.governance import ApprovalFormatError
from sealmesh.manifest import GovernedAct


class ApprovalKey(Protocol):
    """A private key, wherever it is."""

    @property
    def public(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature that `approvals.signature` describes.

        Raises:
            SigningFailed: The key cannot be used.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What somebody agrees to.

    Attributes:
        manifest: What was in force when he looked; unused for acts on a state that cannot be read.
        not_after: Aware; rounded down to whole seconds.
    """

    mesh: Mesh
    manifest: ManifestEpoch | None
    act: GovernedAct
    subject: str
    approver: str
    reason: str
    not_after: datetime


def make_approval(consent: Consent, key: ApprovalKey, *, entropy: Callable[[int], bytes]) -> bytes:
    """Return the signed file; the signature is checked before it leaves.

    Raises:
        ApprovalFormatError: The reason cannot be used, or the manifest is missing.
        SigningFailed: The key cannot be used.
        ApprovalRefused: The key signed something else, or is of a kind that cannot approve.
    """
    check_reason(consent.reason)
    blind = consent.act in UNREADABLE_STATE
    if consent.manifest is None and not blind:
        raise ApprovalFormatError("an approval names the manifest in force", wanted="a Coordinator that runs")
    approval = Approval(
        id=entropy(ID_BYTES).hex(),
        mesh=consent.mesh,
        manifest=None if blind else consent.manifest,
        act=consent.act,
        subject=consent.subject,
        approver=consent.approver,
        reason=consent.reason,
        not_after=consent.not_after.replace(microsecond=0),
    )
    message = signed_message(approval)
    signature = key.sign(message)
    verify_signature(key.public, message, signature)
    return encode_approval(
        SignedApproval(approval=approval, key=sha256(key.public).hexdigest(), signature=signature)
    )
