"""The protocol between transports and Coordinator; what it promises stands in the package's text."""

from collections.abc import Mapping
from typing import Protocol

from sealmesh.coordinator.api.admission import (
    ActivationReply,
    ActivationRequest,
    ChallengeReply,
    ChallengeRequest,
    Credentials,
    EnrolReply,
    EnrolRequest,
    RenewRequest,
    ResultReply,
    ResultRequest,
)
from sealmesh.coordinator.api.governing import ApprovalReply, GovernanceReply, PendingUpdateReply, UpdateReply
from sealmesh.coordinator.api.peer import PeerChain
from sealmesh.coordinator.api.recovery import DrillReply, OwnerShare, RecoverReply
from sealmesh.coordinator.api.secrets import SecretReply, SecretUpload
from sealmesh.coordinator.api.standing import (
    ManifestReply,
    QuoteReply,
    ServerIdentity,
    SetManifestReply,
    SignQuoteReply,
    StatusReply,
)
from sealmesh.coordinator.phase import Act


class CoordinatorPort(Protocol):
    """The Coordinator, as the transports see it."""

    def admit(self, act: Act, chain: PeerChain) -> None:
        """Check feature gate, then caller, for `act`: what is refused before the body is read.

        The method that follows checks again, on the state it acts on.

        Raises:
            GateClosed: The manifest does not switch the feature on (also when there is no manifest).
            UserUnauthenticated: `act` needs a user and no certificate of `chain` is one's.
            MarbleUnauthenticated: `act` needs a Marble and the leaf is none of the present CA.
        """
        ...

    def server_identity(self) -> ServerIdentity:
        """Return the TLS material in force; asked for every new connection, so it must be cheap."""
        ...

    def status(self) -> StatusReply: ...

    def quote(self, nonce: bytes) -> QuoteReply:
        """Return chain and Evidence; with an empty nonce the Evidence may be a cached one."""
        ...

    def statement(self, nonce: bytes) -> bytes:
        """Return the statement document (JSON) with Evidence made for `nonce`."""
        ...

    def manifest(self) -> ManifestReply:
        """Return the manifest in force.

        Raises:
            PhaseError: There is none.
        """
        ...

    def set_manifest(self, raw: bytes, chain: PeerChain = ()) -> SetManifestReply: ...

    def update_log(self) -> tuple[str, ...]:
        """Return the log's lines (JSON each, no newline)."""
        ...

    def activate(self, request: ActivationRequest) -> ActivationReply: ...

    def challenge(self, request: ChallengeRequest) -> ChallengeReply | None:
        """Return a challenge for the TPM in some Evidence; None where its key is known, or there is no TPM.

        Raises:
            PhaseError: No Marble is admitted now.
            EvidenceRefused: The EK certificate does not hold.
        """
        ...

    def enrol(self, request: EnrolRequest) -> EnrolReply: ...

    def renew(self, request: RenewRequest) -> Credentials: ...

    def give_result(self, request: ResultRequest, chain: PeerChain) -> ResultReply:
        """Return the Attestation Result of a Marble's admission, to that Marble or to a user.

        Raises:
            ResultUnknown: There is no such admission under the manifest in force, or it has ended.
        """
        ...

    def get_secrets(self, names: tuple[str, ...], chain: PeerChain) -> Mapping[str, SecretReply]: ...

    def set_secrets(self, uploads: Mapping[str, SecretUpload], chain: PeerChain) -> None: ...

    def update(self, raw: bytes, chain: PeerChain) -> UpdateReply: ...

    def pending_update(self) -> PendingUpdateReply:
        """Return the waiting update.

        Raises:
            NothingPending: There is none.
        """
        ...

    def acknowledge(self, raw: bytes, chain: PeerChain) -> UpdateReply: ...

    def cancel(self, chain: PeerChain) -> None: ...

    def governance(self) -> GovernanceReply:
        """Return what approvals have to name, and the rules in force.

        Raises:
            GateClosed: Nothing is reserved here.
        """
        ...

    def submit_approval(self, raw: bytes, chain: PeerChain) -> ApprovalReply:
        """Take an approval that a user hands in.

        Raises:
            ApprovalFormatError, ApprovalRefused: It does not count; that it was tried is logged.
        """
        ...

    def approvals(self, chain: PeerChain) -> tuple[ApprovalReply, ...]:
        """Return the approvals that wait to be used, to a user."""
        ...

    def recover(self, secret: bytes, signature: bytes) -> RecoverReply:
        """Take one recovery secret, plain (16, 32, 33 bytes) or encrypted to `recovery_public_key`.

        Raises:
            RecoveryRefused: With code `recovery-secret-unreadable` where the encrypted form does not open.
            PhaseError: Not in recovery.
        """
        ...

    def recovery_public_key(self) -> bytes:
        """Return the ephemeral RSA-4096 key as SubjectPublicKeyInfo DER.

        Raises:
            PhaseError: Not in recovery.
        """
        ...

    def drill(self, shares: Mapping[str, OwnerShare]) -> DrillReply:
        """Tell what a recovery with these shares would come to; changes nothing.

        Raises:
            PhaseError: There is no state.
            DrillRefused: Nobody can recover the state.
        """
        ...

    def sign_quote(self, quote: bytes) -> SignQuoteReply:
        """Verify a quote and sign the verdict.

        Raises:
            QuoteNotVerified: It does not verify.
        """
        ...

    def monotonic_counter(self, name: str, value: int, chain: PeerChain) -> int:
        """Raise a counter of the calling Marble to `value` if that is more; return what it was."""
        ...
