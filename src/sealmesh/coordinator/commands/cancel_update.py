"""Cancel the update that waits."""

from dataclasses import dataclass

from sealmesh.coordinator import acts, places
from sealmesh.coordinator.api import PeerChain
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.pending_update import missing, require_pending
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_decision import update_expectations
from sealmesh.coordinator.update_log import absent, log_line, next_lines
from sealmesh.coordinator.user_caller import authenticated_user, authorize_manifest_update
from sealmesh.manifest import fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelUpdate:
    """Cancel as the user of this connection."""

    chain: PeerChain


def decide(command: CancelUpdate, state: State, context: Context) -> Decision[None]:
    """Drop the pending update.

    Raises:
        UserUnauthenticated: Nobody known.
        PermissionRefused: The user may not update the manifest. Checked before whether anything waits.
        NothingPending: No update waits.
    """
    caller = authenticated_user(command.chain, state)
    move(state.phase, Act.UPDATE)
    authorize_manifest_update(caller, state.running.manifest)
    pending = require_pending(state)
    digest = fingerprint(pending.raw)
    fields = {"user": caller.name, "manifestFingerprint": digest}
    log = next_lines(state, [log_line(context.now, "manifest update cancelled", fields)])
    needed = missing(pending, state.running.manifest)
    leaf = acts.update_act(context.now, "cancelled", user=caller.name, manifest=digest, missing=needed.count)
    return Decision(
        reply=None,
        change=Change(
            puts={places.PENDING: None, **log},
            expects={**update_expectations(state), **absent(log)},
            appends=(leaf,),
        ),
    )
