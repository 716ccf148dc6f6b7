"""What everybody may know about the Coordinator."""

from sealmesh.coordinator.api import RecoveryStatus, StatusReply
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.phase import describe
from sealmesh.coordinator.state import State


def status(state: State, settings: Settings, recovery: RecoveryStatus | None = None) -> StatusReply:
    """Return phase, relaxations in force, whether anything here is simulated, and how a recovery goes on."""
    accepts_simulation = state.in_force is not None and state.in_force.manifest.simulation
    return StatusReply(
        code=state.phase.value,
        message=describe(state.phase),
        relaxations=settings.relaxation_names,
        recovery=recovery,
        simulation=settings.simulation or accepts_simulation or state.authority.simulation,
    )
