"""A Marble's monotonic counter."""

from dataclasses import dataclass

from sealmesh.coordinator import places
from sealmesh.coordinator.api import PeerChain
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.gates import check_gate
from sealmesh.coordinator.marble_caller import authenticated_marble
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Raise the counter `name` of the Marble of this connection to `value`, if that is more."""

    name: str
    value: int
    chain: PeerChain


def decide(command: Count, state: State, context: Context) -> Decision[int]:
    """Return what the counter was.

    Raises:
        GateClosed: The manifest does not switch counters on.
        MarbleUnauthenticated: The leaf is not one of the present intermediate.
    """
    check_gate(Act.COUNT, state)
    move(state.phase, Act.COUNT)
    marble = authenticated_marble(command.chain, state, context.now, present_intermediate=True)
    place = places.counter(marble.marble_type, str(marble.uuid), command.name)
    before = state.shelves.number(place)
    if command.value <= before:
        return Decision(reply=before)
    return Decision(
        reply=before,
        change=Change(
            puts={place: b"%d" % command.value},
            expects={key: state.shelves.version_of(key) for key in (place, places.AUTHORITY)},
        ),
    )
