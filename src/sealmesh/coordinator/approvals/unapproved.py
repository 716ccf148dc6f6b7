"""Refusals of governance: nothing is done, and that it was tried is kept, so often and no more.

A user whose acts are refused must not fill the state that way: after `MAX_LOGGED` of his in one epoch he is
refused all the same, and only the server's own log has it.
"""

from sealmesh.coordinator import acts, places
from sealmesh.coordinator.approvals.book import Standing, approvals_missing
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_log import LogValue, absent, log_line, next_lines
from sealmesh.errors import SealmeshError

MAX_LOGGED = 256


def refuse_unapproved(found: Standing, user: str, state: State, context: Context) -> Decision[SealmeshError]:
    """Return the decision about a reserved act without enough approvals; its reply is the error."""
    fields: dict[str, LogValue] = {"user": user, "act": str(found.act), "missingApprovals": found.missing}
    line = log_line(context.now, "refused: not approved", fields)
    leaf = acts.act_unapproved(context.now, str(found.act), user=user, missing=found.missing)
    return _refusal(approvals_missing(found), user, state, line=line, leaf=leaf)


def refuse_approval(
    error: SealmeshError, user: str, state: State, context: Context
) -> Decision[SealmeshError]:
    """Return the decision about an approval that does not count; its reply is the error."""
    line = log_line(context.now, "approval refused", {"user": user, "code": error.code})
    leaf = acts.approval_refused(context.now, user=user, code=error.code)
    return _refusal(error, user, state, line=line, leaf=leaf)


def _refusal(
    error: SealmeshError, user: str, state: State, *, line: bytes, leaf: bytes
) -> Decision[SealmeshError]:
    place = places.refusals(user)
    count = state.shelves.number(place)
    if count >= MAX_LOGGED:
        return Decision(reply=error)
    log = next_lines(state, [line])
    return Decision(
        reply=error,
        change=Change(
            puts={place: b"%d" % (count + 1), **log},
            expects={place: state.shelves.version_of(place), **absent(log)},
            appends=(leaf,),
        ),
    )
