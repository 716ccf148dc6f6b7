"""A reserved act that a user tried without enough approvals: it is refused, and that he tried is kept."""

from sealmesh.coordinator import acts
from sealmesh.coordinator.approvals.book import Standing, approvals_missing
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_log import LogValue, absent, log_line, next_lines
from sealmesh.errors import SealmeshError


def refuse_unapproved(found: Standing, user: str, state: State, context: Context) -> Decision[SealmeshError]:
    """Return the decision that only logs; its reply is the error."""
    fields: dict[str, LogValue] = {"user": user, "act": str(found.act), "missingApprovals": found.missing}
    log = next_lines(state, [log_line(context.now, "refused: not approved", fields)])
    leaf = acts.act_unapproved(context.now, str(found.act), user=user, missing=found.missing)
    return Decision(
        reply=approvals_missing(found), change=Change(puts=log, expects=absent(log), appends=(leaf,))
    )
