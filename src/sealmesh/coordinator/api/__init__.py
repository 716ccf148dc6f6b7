"""What the transports ask of a Coordinator: requests, replies and the protocol between them.

Every method is synchronous and thread-safe. It returns a reply or raises a `SealmeshError`; the transports
translate both and know no rule. Anything else that comes out is our own fault and is answered with no detail.

Callers are named by the certificate chain of their connection, DER, leaf first, as shown and **not checked**:
the TLS layer accepts any. Each method authenticates and authorizes on the state that it acts on; `admit` does
the first checks alone, because they come before the body is looked at (COMPAT section 3, order of checks).
"""

from sealmesh.coordinator.api.admission import (
    ActivationReply,
    ActivationRequest,
    ChallengeAnswer,
    ChallengeReply,
    ChallengeRequest,
    Credentials,
    EnrolReply,
    EnrolRequest,
    Parameters,
    RenewRequest,
    ResultReply,
    ResultRequest,
)
from sealmesh.coordinator.api.governing import (
    ApprovalReply,
    GovernanceReply,
    PendingUpdateReply,
    RuleReply,
    UpdateReply,
)
from sealmesh.coordinator.api.peer import PeerChain
from sealmesh.coordinator.api.port import CoordinatorPort
from sealmesh.coordinator.api.recovery import DrillReply, OwnerShare, RecoverReply, RecoveryStatus, ShareReply
from sealmesh.coordinator.api.secrets import SecretReply, SecretUpload
from sealmesh.coordinator.api.standing import (
    EnrolmentIdentity,
    ManifestReply,
    QuoteReply,
    ServerIdentity,
    SetManifestReply,
    SignQuoteReply,
    StatusReply,
)

__all__ = [
    "ActivationReply",
    "ActivationRequest",
    "ApprovalReply",
    "ChallengeAnswer",
    "ChallengeReply",
    "ChallengeRequest",
    "CoordinatorPort",
    "Credentials",
    "DrillReply",
    "EnrolReply",
    "EnrolRequest",
    "EnrolmentIdentity",
    "GovernanceReply",
    "ManifestReply",
    "OwnerShare",
    "Parameters",
    "PeerChain",
    "PendingUpdateReply",
    "QuoteReply",
    "RecoverReply",
    "RecoveryStatus",
    "RenewRequest",
    "ResultReply",
    "ResultRequest",
    "RuleReply",
    "SecretReply",
    "SecretUpload",
    "ServerIdentity",
    "SetManifestReply",
    "ShareReply",
    "SignQuoteReply",
    "StatusReply",
    "UpdateReply",
]
