"""The Coordinator's phase."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.client.answers import data_of, member, texts
from sealmesh.client.exchange import OWN, V2, Exchange, get
from sealmesh.client.first_api import FirstApi, asked, renamed
from sealmesh.errors.client import NotServed

_FIRST = FirstApi(request=get("/status"), members=renamed(StatusCode="code", StatusMessage="message"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryStatus:
    """Why a state waits for its owners, and how many of their shares were given."""

    reason: str
    owners: int
    threshold: int
    given: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The Coordinator's phase: 0 uninitialized, 1 recovery, 2 accepting a manifest, 3 accepting Marbles."""

    code: int
    message: str
    relaxations: tuple[str, ...] = ()
    simulation: bool = False
    recovery: RecoveryStatus | None = None


def read_status() -> Exchange[Status]:
    """Return the phase, and for a sealmesh Coordinator the relaxations in force."""
    request = get(f"{OWN}/status")
    try:
        members = data_of(request, (yield request))
    except NotServed:
        members = yield from asked(get(f"{V2}/status"), _FIRST)
    return Status(
        code=member(members, "code", int),
        message=member(members, "message", str),
        relaxations=texts(members, "relaxations"),
        simulation=bool(members.get("simulation", False)),
        recovery=_recovery(members.get("recovery")),
    )


def _recovery(members: object) -> RecoveryStatus | None:
    if not isinstance(members, Mapping):
        return None
    return RecoveryStatus(
        reason=member(members, "reason", str),
        owners=member(members, "owners", int),
        threshold=member(members, "threshold", int),
        given=member(members, "given", int),
    )
