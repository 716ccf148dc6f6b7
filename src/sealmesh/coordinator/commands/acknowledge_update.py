"""Acknowledge the update that waits, by sending the same bytes."""

from dataclasses import dataclass

from sealmesh.coordinator.api import PeerChain
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.pending_update import require_pending
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_decision import Outcome, Step, take_step
from sealmesh.coordinator.user_caller import authenticated_user, authorize_manifest_update
from sealmesh.errors.coordinator import UpdateRefused
from sealmesh.manifest import fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeUpdate:
    """Agree to these bytes as the user of this connection."""

    raw: bytes
    chain: PeerChain


def decide(command: AcknowledgeUpdate, state: State, context: Context) -> Decision[Outcome]:
    """Count the acknowledgment, once for each user, and apply the update when enough agree.

    Raises:
        UserUnauthenticated: Nobody known.
        NothingPending: No update waits.
        PermissionRefused: The user may not update the manifest.
        UpdateRefused: Other bytes than those that wait.
    """
    caller = authenticated_user(command.chain, state, context.settings)
    move(state.phase, Act.UPDATE)
    pending = require_pending(state)
    authorize_manifest_update(caller, state.running.manifest)
    if command.raw != pending.raw:
        raise UpdateRefused(
            "this is not the manifest that waits for acknowledgments",
            code="update-differs",
            found=fingerprint(command.raw),
            wanted=fingerprint(pending.raw),
            remedy="Read the pending manifest, and acknowledge exactly these bytes.",
        )
    step = Step(
        act="acknowledged",
        event="manifest update acknowledged",
        user=caller.name,
        pending=pending.with_user(caller.name),
    )
    return take_step(step, state, context)
