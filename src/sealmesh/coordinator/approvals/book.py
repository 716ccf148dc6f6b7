"""The approvals that were handed in and are not used yet, and what they are enough for."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sealmesh.coordinator import acts, places
from sealmesh.coordinator.approvals.document import Approval, parse_approval
from sealmesh.coordinator.approvals.epoch import setting_of
from sealmesh.coordinator.approvals.verification import Setting, verify_approval
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_log import LogValue, log_line
from sealmesh.errors import SealmeshError
from sealmesh.errors.governance import ApprovalsMissing
from sealmesh.manifest import ApprovalRule, GovernedAct

_NOTHING_ASKED = ApprovalRule(threshold=0, approvers=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one act on one subject stands.

    Attributes:
        rule: With threshold 0 where the manifest does not reserve the act.
        given: Those that count now, one for each approver.
    """

    act: GovernedAct
    subject: str
    rule: ApprovalRule
    given: tuple[Approval, ...]

    @property
    def missing(self) -> int:
        """How many more have to approve."""
        return max(0, self.rule.threshold - len(self.given))

    @property
    def asked(self) -> tuple[str, ...]:
        """Who could still approve, sorted."""
        done = {approval.approver for approval in self.given}
        return tuple(sorted(set(self.rule.approvers) - done))


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorized:
    """An act that may be done, and what doing it adds to its commit.

    Attributes:
        records: The approvals leave the book, and are known as used.
        expects: They are still there.
        leaves: Who approved, for the ledger.
    """

    records: dict[str, bytes | None] = field(default_factory=dict)
    expects: dict[str, int] = field(default_factory=dict)
    lines: tuple[bytes, ...] = ()
    leaves: tuple[bytes, ...] = ()


def standing(act: GovernedAct, subject: str, state: State, context: Context) -> Standing:
    """Return how far `act` on `subject` is approved under the manifest in force."""
    governance = state.running.manifest.governance
    rule = None if governance is None else governance.rules.get(act)
    if governance is None or rule is None:
        return Standing(act=act, subject=subject, rule=_NOTHING_ASKED, given=())
    setting = setting_of(governance, state, context)
    places_asked = [places.approval(act, subject, name) for name in dict.fromkeys(rule.approvers)]
    found = (_counting(place, state, setting) for place in places_asked)
    return Standing(act=act, subject=subject, rule=rule, given=tuple(one for one in found if one is not None))


def collected(state: State, context: Context) -> Iterator[Approval]:
    """Yield all approvals in the book that count now."""
    governance = state.running.manifest.governance
    if governance is None:
        return
    setting = setting_of(governance, state, context)
    for name in state.shelves.shelf(places.APPROVALS):
        approval = _counting(f"{places.APPROVALS}/{name}", state, setting)
        if approval is not None:
            yield approval


def _counting(place: str, state: State, setting: Setting) -> Approval | None:
    """Return the approval at `place`, verified again; None where there is none or it expired."""
    kept = state.shelves.value(place)
    if kept is None:
        return None
    try:
        approval = verify_approval(parse_approval(kept), setting)
    except SealmeshError:
        return None
    return approval if places.approval(approval.act, approval.subject, approval.approver) == place else None


def use_approvals(found: Standing, user: str, state: State, context: Context) -> Authorized:
    """Let `user` do what stands like this; the approvals it rests on are used up with it.

    Roles are not looked at: this comes after them, and only ever refuses more.

    Raises:
        ApprovalsMissing: Not enough have approved exactly this.
    """
    if found.missing:
        raise approvals_missing(found)
    if not found.rule.threshold:
        return Authorized()
    act = str(found.act)
    taken = {one.id: places.approval(act, found.subject, one.approver) for one in found.given}
    names = sorted(one.approver for one in found.given)
    line: dict[str, LogValue] = {"user": user, "act": act, "approvers": names, "approvals": sorted(taken)}
    leaf = acts.act_approved(context.now, act, user=user, approvers=names, approvals=sorted(taken))
    return Authorized(
        records={**dict.fromkeys(taken.values()), **{places.used_approval(one): b"" for one in taken}},
        expects={
            places.EPOCH: state.shelves.version_of(places.EPOCH),
            **{place: state.shelves.version_of(place) for place in taken.values()},
        },
        lines=(log_line(context.now, "approved by several", line),),
        leaves=(leaf,),
    )


def approvals_missing(found: Standing) -> ApprovalsMissing:
    """Return the refusal of an act that stands like this."""
    return ApprovalsMissing(
        f"the manifest reserves {found.act} to several",
        found=f"{len(found.given)} approvals of {found.subject}",
        wanted=f"{found.rule.threshold}, by {found.missing} more of {', '.join(found.asked)}",
        remedy=f"Let them sign with `sealmesh approve make --act {found.act} --subject {found.subject}`, "
        "hand it in with `sealmesh approve submit`, and try again.",
    )
