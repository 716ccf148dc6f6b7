"""What the transports ask of a Coordinator: requests, replies and the protocol between them.

Every method is synchronous and thread-safe. It returns a reply or raises a `SealmeshError`; the transports
translate both and know no rule. Anything else that comes out is our own fault and is answered with no detail.

Callers are named by the certificate chain of their connection, DER, leaf first, as shown and **not checked**:
the TLS layer accepts any. Each method authenticates and authorizes on the state that it acts on; `admit` does
the first checks alone, because they come before the body is looked at (COMPAT section 3, order of checks).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.attestation.results import Form
from sealmesh.coordinator.phase import Act

#: Certificates of one connection, DER, leaf first; empty when the peer showed none. Unchecked.
PeerChain = tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReply:
    """The phase by its MarbleRun number, and what a reader must know about this Coordinator."""

    code: int
    message: str
    relaxations: tuple[str, ...] = ()
    simulation: bool = False
    recovery: "RecoveryStatus | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteReply:
    """PEM of intermediate, then root; and Evidence over the root (None where there is none).

    `endorsements` is the Evidence's collateral (JSON), which our own route `GET /api/sealmesh/v1/quote` gives
    too: an operator verifies the Coordinator before it has a manifest, and thus no statement.
    """

    chain_pem: str
    evidence: bytes | None
    endorsements: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestReply:
    """The manifest in force: raw bytes, hex SHA-256 of them, ECDSA signature by the root key over it."""

    raw: bytes
    fingerprint: str
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SetManifestReply:
    """One encrypted share for each recovery key; empty without recovery keys."""

    recovery_secrets: Mapping[str, bytes] = field(default_factory=dict)


class Parameters(Protocol):
    """Files, environment and arguments of one Marble (`provisioning.RenderedParameters` is one)."""

    @property
    def files(self) -> Mapping[str, bytes]: ...
    @property
    def env(self) -> Mapping[str, bytes]: ...
    @property
    def argv(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationRequest:
    """MarbleRun's activation. `client_cert` is the DER that this connection showed; Evidence must bind it."""

    evidence: bytes
    csr: bytes
    marble_type: str
    uuid: str
    client_cert: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationReply:
    """What the Marble gets; its private key is among the environment."""

    parameters: Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeRequest:
    """A challenge for the TPM whose EK certificate is in `evidence`, to be answered over `client_cert`."""

    evidence: bytes
    client_cert: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeReply:
    """What the TPM is to take (TPM2_ActivateCredential), and what comes back beside its answer."""

    credential_blob: bytes
    encrypted_secret: bytes
    token: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeAnswer:
    """A challenge's token, and the secret that a TPM gave back. Unchecked."""

    token: bytes
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolRequest:
    """Our own activation: the Marble keeps its key, and asks the Coordinator for Evidence over its nonce."""

    evidence: bytes
    csr: bytes
    marble_type: str
    uuid: str
    client_cert: bytes
    coordinator_nonce: bytes
    answer: ChallengeAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A certificate for a Marble's own key, and what stands or falls with it.

    Attributes:
        certificate_chain: DER, leaf then intermediate.
        coordinator_chain: DER, intermediate then root.
        marble_root: DER.
        access_policy: JSON of `sealmesh.policy`.
        ttls: JSON of MARBLE_TTLS_CONFIG, or None where the type has no TLS tags.
    """

    certificate_chain: PeerChain
    coordinator_chain: PeerChain
    marble_root: bytes
    access_policy: bytes
    ttls: bytes | None
    not_after: datetime
    renew_after: datetime
    trust_domain: str
    simulation: bool
    relaxations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolReply:
    """Parameters, credentials, and the Coordinator's own Evidence over root and nonce."""

    parameters: Parameters
    credentials: Credentials
    coordinator_evidence: bytes
    coordinator_endorsements: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewRequest:
    """A new certificate for the Marble that the shown chain names; type and UUID come from its leaf."""

    evidence: bytes
    csr: bytes
    client_chain: PeerChain
    answer: ChallengeAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRequest:
    """Which admission's result is wanted, and how.

    Attributes:
        marble_type: With `uuid`, whose last admission; both empty: that of the certificate of the connection.
        nonce: To be echoed; None for none.
    """

    form: Form
    marble_type: str = ""
    uuid: str = ""
    nonce: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultReply:
    """A signed Attestation Result."""

    token: bytes
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReply:
    """One secret as its readers see it; None is what was never set."""

    type: str
    size: int
    shared: bool
    user_defined: bool
    certificate: bytes | None
    valid_for: int
    private: bytes | None
    public: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUpload:
    """A value for a user-defined secret; None where the field was empty, null or absent: Go cannot tell.

    So None as the `key` of a plain secret is the empty value. `certificate` is DER that parses.
    """

    certificate: bytes | None = None
    private: bytes | None = None
    key: bytes | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverReply:
    """How many recovery secrets are still missing; 0 when the Coordinator runs again.

    Attributes:
        remark: What the owners must know about the state that they recovered.
    """

    remaining: int
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerShare:
    """A plain share, and its owner's signature over it; empty where there is none."""

    share: bytes
    signature: bytes = b""

    def __repr__(self) -> str:
        return "OwnerShare()"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareReply:
    """A drill's verdict on one share.

    Attributes:
        problem: Why a recovery would refuse it; empty where it would not.
        owner: The recovery key that signed it; empty where none did, or that is not known yet.
    """

    problem: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillReply:
    """What a recovery with these shares would come to.

    Attributes:
        owners: How many recovery keys there are.
        threshold: How many shares are needed.
        opens: The shares that are this state's were enough, and the whole state opened with them.
        remark: What the owners must know about the state: that it is an older copy.
        shares: By the labels of the request.
    """

    owners: int
    threshold: int
    opens: bool
    remark: str
    shares: Mapping[str, ShareReply]

    @property
    def passed(self) -> bool:
        """Whether a recovery with exactly these shares would succeed."""
        return self.opens and not any(share.problem for share in self.shares.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryStatus:
    """Why a state waits for recovery, and how far that is."""

    reason: str
    owners: int
    threshold: int
    given: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignQuoteReply:
    """TCB status of a quote that verified, and the root key's signature over both."""

    tcb_status: str
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerIdentity:
    """TLS material of both servers. `generation` is another number whenever any of it is other material."""

    client_chain: tuple[x509.Certificate, ...]
    client_key: ec.EllipticCurvePrivateKey
    mesh_chain: tuple[x509.Certificate, ...]
    mesh_key: ec.EllipticCurvePrivateKey
    generation: int


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
