"""Approvals for a state that waits for recovery: in memory, like the owners' shares.

No user is known then, so anybody may hand one in; only what verifies under the rules beside the state is
kept, and each approver has room for a few.
"""

from contextlib import AbstractContextManager

from sealmesh.coordinator import acts, places
from sealmesh.coordinator.acts import certificate_digest
from sealmesh.coordinator.api import ApprovalReply, GovernanceReply
from sealmesh.coordinator.approvals.book import Authorized
from sealmesh.coordinator.approvals.document import Approval, SignedApproval, parse_approval
from sealmesh.coordinator.approvals.guard import Guard, guard_bytes
from sealmesh.coordinator.approvals.subject import recovery_subject
from sealmesh.coordinator.approvals.verification import verify_approval
from sealmesh.coordinator.commands.governance import governance_reply
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.engine import Engine
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_log import log_line
from sealmesh.errors.coordinator import GateClosed
from sealmesh.errors.governance import ApprovalRefused
from sealmesh.manifest import GovernedAct

MAX_OF_APPROVER = 8


class WaitingApprovals:
    """Collects them for one engine.

    Args:
        exclusive: Held while one is taken, so that two at once are both kept.
    """

    def __init__(self, engine: Engine, *, exclusive: AbstractContextManager[object]) -> None:
        self._engine = engine
        self._exclusive = exclusive
        self._given: dict[str, SignedApproval] = {}

    def guard(self) -> Guard | None:
        """Return the rules of the state that waits; None where none waits, or it has no rules."""
        waiting = self._engine.seat.recovery()
        return None if waiting is None or not waiting.info.guard else Guard.from_bytes(waiting.info.guard)

    def given(self) -> tuple[SignedApproval, ...]:
        """Return those that were handed in."""
        return tuple(self._given.values())

    def governance(self) -> GovernanceReply:
        """Return the rules of the state that waits, and what approvals have to name.

        Raises:
            GateClosed: It has none.
        """
        guard = self._required()
        return governance_reply(
            guard.governance, mesh=guard.mesh, coordinator=self._coordinator(), manifest=None, epoch=None
        )

    def submit(self, raw: bytes) -> ApprovalReply:
        """Keep an approval until the state is recovered or given up.

        Raises:
            GateClosed: The state asks for none.
            ApprovalFormatError, ApprovalRefused: It does not count.
        """
        move(self._engine.state().phase, Act.APPROVE)
        guard, signed, now = self._required(), parse_approval(raw), self._engine.clock()
        approval = verify_approval(signed, guard.setting(now))
        with self._exclusive:
            self._check_new(approval)
            self._given = {**self._given, approval.id: signed}
        stands = guard.standing(approval.act, approval.subject, self.given(), now)
        return ApprovalReply(
            id=approval.id,
            approver=approval.approver,
            act=str(approval.act),
            subject=approval.subject,
            reason=approval.reason,
            not_after=approval.not_after,
            missing=stands.missing,
            asked=stands.asked,
        )

    def authorize_recovery(self, inside: State, context: Context) -> Authorized:
        """Let the state be recovered here, by the rules of the manifest inside it.

        Raises:
            ApprovalsMissing: Not enough approved that.
        """
        rules = guard_bytes(inside.running.manifest, inside.authority.root_cert)
        if not rules:
            return Authorized()
        unused = [
            signed
            for signed in self.given()
            if inside.shelves.value(places.used_approval(signed.approval.id)) is None
        ]
        subject = recovery_subject(self._coordinator())
        approved = Guard.from_bytes(rules).approved(GovernedAct.RECOVER, subject, unused, context.now)
        if not approved:
            return Authorized()
        act = str(GovernedAct.RECOVER)
        names, ids = sorted(one.approver for one in approved), sorted(one.id for one in approved)
        line = {"act": act, "approvers": names, "approvals": ids}
        return Authorized(
            records={places.used_approval(one): b"" for one in ids},
            lines=(log_line(context.now, "approved by several", line),),
            leaves=(acts.act_approved(context.now, act, user="", approvers=names, approvals=ids),),
        )

    def _check_new(self, approval: Approval) -> None:
        coordinator = self._coordinator()
        if approval.act is GovernedAct.RECOVER and approval.subject != recovery_subject(coordinator):
            raise ApprovalRefused(
                "the approval is for recovery on another Coordinator, or before this one was started again",
                code="approval-other-coordinator",
                wanted=f"the subject of the Coordinator with root {coordinator}",
            )
        of_approver = [one.approval for one in self.given() if one.approval.approver == approval.approver]
        if any((one.act, one.subject) == (approval.act, approval.subject) for one in of_approver):
            raise ApprovalRefused(
                "this approver has approved this already", code="approval-repeated", found=approval.approver
            )
        if len(of_approver) >= MAX_OF_APPROVER:
            raise ApprovalRefused(
                "too many approvals of this approver wait to be used",
                code="limit:approvals",
                wanted=f"at most {MAX_OF_APPROVER}",
            )

    def _required(self) -> Guard:
        guard = self.guard()
        if guard is None:
            raise GateClosed("the state that waits for recovery asks for no approvals")
        return guard

    def _coordinator(self) -> str:
        return certificate_digest(self._engine.state().authority.root_cert)
