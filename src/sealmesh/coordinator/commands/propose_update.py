"""Propose a manifest in place of the one in force; it applies at once where nobody else has to agree."""

from dataclasses import dataclass

from sealmesh.coordinator.api import PeerChain
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.pending_update import Pending, find_pending
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_decision import Outcome, Step, take_step
from sealmesh.coordinator.user_caller import authenticated_user, authorize_manifest_update
from sealmesh.errors.coordinator import UpdateRefused
from sealmesh.manifest import parse_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeUpdate:
    """Propose these bytes as the user of this connection."""

    raw: bytes
    chain: PeerChain


def decide(command: ProposeUpdate, state: State, context: Context) -> Decision[Outcome]:
    """Apply the manifest, or let it wait for others.

    Raises:
        UserUnauthenticated: Nobody known.
        PermissionRefused: The user may not update the manifest.
        UpdateRefused: Another one waits already.
        ManifestError: The document breaks a rule.
    """
    caller = authenticated_user(command.chain, state)
    move(state.phase, Act.UPDATE)
    authorize_manifest_update(caller, state.running.manifest)
    if find_pending(state) is not None:
        raise UpdateRefused(
            "another manifest update waits for acknowledgments",
            code="update-pending",
            remedy="Acknowledge or cancel it first.",
        )
    parse_manifest(command.raw, lenient=context.settings.relaxed(Relaxation.LENIENT_MANIFEST))
    step = Step(
        act="proposed",
        event="manifest update proposed",
        user=caller.name,
        pending=Pending(raw=command.raw, users=(caller.name,)),
    )
    return take_step(step, state, context)
