"""The Coordinator's phase."""

from dataclasses import dataclass

from sealmesh.client.answers import data_of, member, texts
from sealmesh.client.exchange import OWN, V2, Exchange, get
from sealmesh.errors.client import NotServed


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The Coordinator's phase: 0 uninitialized, 1 recovery, 2 accepting a manifest, 3 accepting Marbles."""

    code: int
    message: str
    relaxations: tuple[str, ...] = ()
    simulation: bool = False


def read_status() -> Exchange[Status]:
    """Return the phase, and for a sealmesh Coordinator the relaxations in force."""
    request = get(f"{OWN}/status")
    try:
        members = data_of(request, (yield request))
    except NotServed:
        request = get(f"{V2}/status")
        members = data_of(request, (yield request))
    return Status(
        code=member(members, "code", int),
        message=member(members, "message", str),
        relaxations=texts(members, "relaxations"),
        simulation=bool(members.get("simulation", False)),
    )
