"""Reading the update log."""

from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.state import State


def update_log(state: State) -> tuple[str, ...]:
    """Return the log's lines, oldest first.

    Raises:
        PhaseError: There is no manifest, so no log.
    """
    move(state.phase, Act.READ_UPDATE_LOG)
    return state.log()
