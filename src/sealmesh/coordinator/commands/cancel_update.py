"""Cancel the update that waits."""

from dataclasses import dataclass

from sealmesh.coordinator import acts, places
from sealmesh.coordinator.api import PeerChain
from sealmesh.coordinator.approvals import refuse_unapproved, standing, use_approvals
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.pending_update import missing, require_pending
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_decision import update_expectations
from sealmesh.coordinator.update_log import absent, log_line, next_lines
from sealmesh.coordinator.user_caller import authenticated_user, authorize_manifest_update
from sealmesh.errors import SealmeshError
from sealmesh.manifest import GovernedAct, fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelUpdate:
    """Cancel as the user of this connection."""

    chain: PeerChain


def decide(command: CancelUpdate, state: State, context: Context) -> Decision[SealmeshError | None]:
    """Drop the pending update.

    Raises:
        UserUnauthenticated: Nobody known.
        PermissionRefused: The user may not update the manifest. Checked before whether anything waits.
        NothingPending: No update waits.
    """
    caller = authenticated_user(command.chain, state, context.settings)
    move(state.phase, Act.UPDATE)
    authorize_manifest_update(caller, state.running.manifest)
    pending = require_pending(state)
    digest = fingerprint(pending.raw)
    stands = standing(GovernedAct.CANCEL_UPDATE, digest, state, context)
    if stands.missing:
        return refuse_unapproved(stands, caller.name, state, context)
    approved = use_approvals(stands, caller.name, state, context)
    fields = {"user": caller.name, "manifestFingerprint": digest}
    log = next_lines(state, [*approved.lines, log_line(context.now, "manifest update cancelled", fields)])
    needed = missing(pending, state, context)
    leaf = acts.update_act(context.now, "cancelled", user=caller.name, manifest=digest, missing=needed.count)
    return Decision(
        reply=None,
        change=Change(
            puts={places.PENDING: None, **approved.records, **log},
            expects={**update_expectations(state), **approved.expects, **absent(log)},
            appends=(*approved.leaves, leaf),
        ),
    )
