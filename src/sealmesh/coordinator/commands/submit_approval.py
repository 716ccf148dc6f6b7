"""A user hands in an approval, his own or another's; who signed it is in the approval.

Each one is verified before it is kept. One that does not count is refused, and that it was tried is logged:
strangers cannot fill the log, because only users may hand in.
"""

from dataclasses import dataclass

from sealmesh.coordinator import acts, places
from sealmesh.coordinator.api import ApprovalReply, PeerChain
from sealmesh.coordinator.approvals.book import collected, standing
from sealmesh.coordinator.approvals.document import Approval, parse_approval
from sealmesh.coordinator.approvals.epoch import setting_of
from sealmesh.coordinator.approvals.unapproved import refuse_approval
from sealmesh.coordinator.approvals.verification import UNREADABLE_STATE, verify_approval
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.gates import check_gate
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_log import absent, log_line, next_lines
from sealmesh.coordinator.user_caller import authenticated_user
from sealmesh.errors import SealmeshError
from sealmesh.errors.governance import ApprovalRefused
from sealmesh.manifest import Governance

#: Of one approver at a time: an insider must not fill the store.
MAX_OF_APPROVER = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitApproval:
    """Hand in this file as the user of this connection."""

    raw: bytes
    chain: PeerChain


def decide(
    command: SubmitApproval, state: State, context: Context
) -> Decision[ApprovalReply | SealmeshError]:
    """Keep the approval until its act is done or it expires, or refuse it and log that.

    Raises:
        GateClosed: The manifest reserves nothing.
        UserUnauthenticated: Nobody known.
    """
    check_gate(Act.APPROVE, state)
    caller = authenticated_user(command.chain, state, context.settings)
    move(state.phase, Act.APPROVE)
    governance = state.running.manifest.governance
    if governance is None:
        raise RuntimeError("the gate is open and there are no rules")
    try:
        approval = _verified(command.raw, governance, state, context)
    except SealmeshError as error:
        return refuse_approval(error, caller.name, state, context)
    return _kept(approval, command.raw, caller.name, state, context)


def _verified(raw: bytes, governance: Governance, state: State, context: Context) -> Approval:
    approval = verify_approval(parse_approval(raw), setting_of(governance, state, context))
    if approval.act in UNREADABLE_STATE:
        raise ApprovalRefused("nothing waits for recovery", code="approval-not-needed", found=approval.act)
    if state.shelves.value(places.used_approval(approval.id)) is not None:
        raise ApprovalRefused("the approval was used already", code="approval-used", found=approval.id)
    counting = tuple(collected(state, context))
    for other in counting:
        if other.approver == approval.approver and (
            other.id == approval.id or (other.act, other.subject) == (approval.act, approval.subject)
        ):
            raise ApprovalRefused(
                "this approver has approved this already",
                code="approval-repeated",
                found=f"{approval.approver}, approval {other.id}",
            )
    if sum(other.approver == approval.approver for other in counting) >= MAX_OF_APPROVER:
        raise ApprovalRefused(
            "too many approvals of this approver wait to be used",
            code="limit:approvals",
            wanted=f"at most {MAX_OF_APPROVER}",
        )
    return approval


def _kept(
    approval: Approval, raw: bytes, user: str, state: State, context: Context
) -> Decision[ApprovalReply | SealmeshError]:
    place = places.approval(approval.act, approval.subject, approval.approver)
    used = places.used_approval(approval.id)
    fields = {
        "user": user,
        "act": str(approval.act),
        "approver": approval.approver,
        "approval": approval.id,
        "reason": approval.reason,
    }
    log = next_lines(state, [log_line(context.now, "approval taken", fields)])
    leaf = acts.approval_taken(
        context.now,
        user=user,
        approval=approval.id,
        approver=approval.approver,
        act=str(approval.act),
        reason=approval.reason,
    )
    before = standing(approval.act, approval.subject, state, context)
    rests_on = (places.MANIFEST, places.EPOCH, place, used)
    return Decision(
        reply=ApprovalReply(
            id=approval.id,
            approver=approval.approver,
            act=str(approval.act),
            subject=approval.subject,
            reason=approval.reason,
            not_after=approval.not_after,
            missing=max(0, before.missing - 1),
            asked=tuple(name for name in before.asked if name != approval.approver),
        ),
        change=Change(
            puts={**_expired(state, context), place: raw, **log},
            expects={**{key: state.shelves.version_of(key) for key in rests_on}, **absent(log)},
            appends=(leaf,),
        ),
    )


def _expired(state: State, context: Context) -> dict[str, bytes | None]:
    """Return the records of approvals that no longer count, to be deleted."""
    good = {places.approval(one.act, one.subject, one.approver) for one in collected(state, context)}
    kept = {f"{places.APPROVALS}/{name}" for name in state.shelves.shelf(places.APPROVALS)}
    return dict.fromkeys(kept - good)
