"""The Coordinator as the transports see it: each method fetches the slow inputs and runs one command.

Rules are in `commands` and what they use; here is only which inputs a command needs, whether it may be
decided again after a conflict, and what a reply is made of. Every method may be called by several threads.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from sealmesh.coordinator import places
from sealmesh.coordinator.api import (
    ActivationReply,
    ActivationRequest,
    ApprovalReply,
    ChallengeAnswer,
    ChallengeReply,
    ChallengeRequest,
    Credentials,
    DrillReply,
    EnrolReply,
    EnrolRequest,
    GovernanceReply,
    ManifestReply,
    OwnerShare,
    PeerChain,
    QuoteReply,
    RecoverReply,
    RenewRequest,
    ResultReply,
    ResultRequest,
    ServerIdentity,
    SetManifestReply,
    SignQuoteReply,
    StatusReply,
)
from sealmesh.coordinator.candidate import Application, check_applicant
from sealmesh.coordinator.commands import activate, enrol, give_result, renew, set_manifest
from sealmesh.coordinator.commands.challenge import challenge, check_challenged
from sealmesh.coordinator.commands.manifest import manifest
from sealmesh.coordinator.commands.quote import quote, root_report_data
from sealmesh.coordinator.commands.sign_quote import sign_quote
from sealmesh.coordinator.commands.statement import statement
from sealmesh.coordinator.commands.status import status
from sealmesh.coordinator.commands.update_log import update_log
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.drill import drill
from sealmesh.coordinator.engine import Engine
from sealmesh.coordinator.examination import Examiner
from sealmesh.coordinator.gates import check_gate
from sealmesh.coordinator.governance import Governance
from sealmesh.coordinator.identity import ShownIdentities
from sealmesh.coordinator.marble_caller import authenticated_marble
from sealmesh.coordinator.own_evidence import OwnEvidence
from sealmesh.coordinator.phase import Act, Phase
from sealmesh.coordinator.recorded_admission import MOST_LEAVES, find_admission
from sealmesh.coordinator.recovery import Recovery
from sealmesh.coordinator.state import State
from sealmesh.coordinator.tpm_challenge import Answered
from sealmesh.coordinator.user_caller import authenticated_user
from sealmesh.errors.coordinator import ConcurrentChange
from sealmesh.errors.store import StoreConflict

_OF_USERS = frozenset({Act.ACCESS_SECRETS, Act.UPDATE, Act.READ_METRICS})
_OF_MARBLES = frozenset({Act.COUNT})


class Coordinator(Governance):
    """Implements `api.CoordinatorPort`.

    Args:
        examiner: Verifies the Marbles' Evidence.
        own: Makes the Coordinator's.
        exclusive: A lock for what is not in the store: the shares of a recovery in progress.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        examiner: Examiner,
        own: OwnEvidence,
        exclusive: AbstractContextManager[object],
    ) -> None:
        super().__init__(engine)
        self._recovery = Recovery(engine, exclusive=exclusive)
        self._examiner = examiner
        self._own = own
        self._shown = ShownIdentities(engine.context, engine.clock)

    def admit(self, act: Act, chain: PeerChain) -> None:
        """Check feature gate, then caller, for `act`, before its body is read."""
        state = self._engine.state()
        check_gate(act, state)
        if act in _OF_USERS:
            authenticated_user(chain, state, self._engine.settings)
        if act in _OF_MARBLES:
            authenticated_marble(chain, state, self._engine.clock(), present_intermediate=True)

    def server_identity(self) -> ServerIdentity:
        """Return the TLS material in force."""
        return self._shown.of(self._engine.state())

    def status(self) -> StatusReply:
        """Return the phase and what is relaxed or simulated."""
        return status(self._engine.state(), self._engine.settings, self._recovery.status())

    def quote(self, nonce: bytes) -> QuoteReply:
        """Return the chain and Evidence over the root and `nonce`."""
        state = self._engine.state()
        return quote(state, self._own.over(root_report_data(state, nonce), keep=not nonce))

    def statement(self, nonce: bytes) -> bytes:
        """Return the statement document with Evidence made for it."""
        state = self._engine.state()
        draft = statement(nonce, self._engine.frontier(), state, self._engine.context())
        evidence = self._own.over(draft.report_data)
        return draft.complete(evidence=evidence.raw, endorsements=evidence.endorsements)

    def manifest(self) -> ManifestReply:
        """Return the manifest in force."""
        return manifest(self._engine.state())

    def update_log(self) -> tuple[str, ...]:
        """Return the update log's lines."""
        return update_log(self._engine.state())

    def set_manifest(self, raw: bytes, chain: PeerChain = ()) -> SetManifestReply:
        """Put the first manifest in force, durably."""
        del chain  # anybody may set the first manifest
        command = set_manifest.SetManifest(
            raw=raw, waiting=self._recovery.approvals.guard(), approvals=self._recovery.approvals.given()
        )
        founding = set_manifest.decide(command, self._engine.state(), self._engine.context())
        try:
            founded = self._engine.seat.found(founding.change, founding.plan)
        except StoreConflict as error:
            raise ConcurrentChange("another manifest was set at the same time") from error
        return SetManifestReply(recovery_secrets=founded.recovery_secrets)

    def activate(self, request: ActivationRequest) -> ActivationReply:
        """Admit a Marble over MarbleRun's call."""
        state, context = self._engine.state(), self._engine.context()
        command = activate.Activate(application=self._application(request, state, context))
        return self._engine.run(
            lambda state, context: activate.decide(command, state, context),
            retry=True,
            context=context,
            state=state,
        ).reply

    def challenge(self, request: ChallengeRequest) -> ChallengeReply | None:
        """Challenge the TPM in some Evidence, where that is needed."""
        state, context = self._engine.state(), self._engine.context()
        check_challenged(request.client_cert, state)
        endorsement = self._examiner.endorsement(request.evidence, context.now)
        return challenge(endorsement, request.client_cert, state, context)

    def enrol(self, request: EnrolRequest) -> EnrolReply:
        """Admit a Marble that keeps its key."""
        enrol.check_nonce(request.coordinator_nonce)
        state, context = self._engine.state(), self._engine.context()
        application = self._application(request, state, context, request.answer)

        def decide(state: State, context: Context) -> Decision[EnrolReply]:
            own = self._own.over(root_report_data(state, request.coordinator_nonce))
            command = enrol.Enrol(application=application, evidence=own.raw, endorsements=own.endorsements)
            return enrol.decide(command, state, context)

        return self._engine.run(decide, retry=True, context=context, state=state).reply

    def renew(self, request: RenewRequest) -> Credentials:
        """Certify the next key of a Marble that is in."""
        context = self._engine.context()
        shown = b"".join(request.client_chain[:1])
        answered = Answered.of(request.answer, shown, self._engine.state().authority)
        command = renew.Renew(
            csr=request.csr,
            chain=request.client_chain,
            verdict=self._examiner.examine(request.evidence, context.now, answered),
        )
        return self._engine.run(
            lambda state, context: renew.decide(command, state, context), retry=True, context=context
        ).reply

    def governance(self) -> GovernanceReply:
        """Return the rules in force, or those of a state that waits for recovery."""
        if self._engine.state().phase is Phase.RECOVERY:
            return self._recovery.approvals.governance()
        return super().governance()

    def submit_approval(self, raw: bytes, chain: PeerChain) -> ApprovalReply:
        """Take an approval; while a state waits for recovery, from anybody, because no user is known."""
        if self._engine.state().phase is Phase.RECOVERY:
            return self._recovery.approvals.submit(raw)
        return super().submit_approval(raw, chain)

    def recover(self, secret: bytes, signature: bytes) -> RecoverReply:
        """Take one recovery secret."""
        return self._recovery.recover(secret, signature)

    def drill(self, shares: Mapping[str, OwnerShare]) -> DrillReply:
        """Tell what a recovery with these shares would come to."""
        return drill(shares, self._engine)

    def recovery_public_key(self) -> bytes:
        """Return the key that recovery secrets may be encrypted to."""
        return self._recovery.public_key()

    def sign_quote(self, quote: bytes) -> SignQuoteReply:
        """Verify a quote and sign the verdict."""
        check_gate(Act.SIGN_QUOTE, self._engine.state())
        verdict = self._examiner.examine(quote, self._engine.clock())
        return sign_quote(quote, verdict, self._engine.state())

    def give_result(self, request: ResultRequest, chain: PeerChain) -> ResultReply:
        """Return the Attestation Result of a Marble's admission."""
        state, context = self._engine.state(), self._engine.context()
        wanted = give_result.wanted_admission(request, chain, state, context)
        found = find_admission(self._engine.recent_leaves(MOST_LEAVES), wanted)
        if self._engine.state().shelves.version_of(places.AUTHORITY) != state.shelves.version_of(
            places.AUTHORITY
        ):
            raise ConcurrentChange("the manifest or a package was updated at the same time")
        return give_result.give_result(request, found, state, context)

    def _application(
        self,
        request: ActivationRequest | EnrolRequest,
        state: State,
        context: Context,
        answer: ChallengeAnswer | None = None,
    ) -> Application:
        check_applicant(request.marble_type, request.client_cert, state)
        answered = Answered.of(answer, request.client_cert, state.authority)
        return Application(
            marble_type=request.marble_type,
            uuid=request.uuid,
            csr=request.csr,
            client_cert=request.client_cert,
            verdict=self._examiner.examine(request.evidence, context.now, answered),
        )
