"""The Coordinator's phases and what may be done in each.

The rules stand in one table. A row names a phase, an act, and the phase after it. What has no row is an
error: there is no other test of the phase anywhere. The diagram in the documentation is made from `MOVES`.

The numbers are MarbleRun's status codes (COMPAT section 1).
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

from sealmesh.errors.coordinator import PhaseError


class Phase(IntEnum):
    """Where a Coordinator stands."""

    UNINITIALIZED = 0
    RECOVERY = 1
    ACCEPTING_MANIFEST = 2
    ACCEPTING_MARBLES = 3


class Act(StrEnum):
    """What can be asked of a Coordinator, as far as the phase matters."""

    SET_MANIFEST = "set a manifest"
    RECOVER = "recover"
    DRILL = "drill a recovery"
    ACTIVATE = "activate a Marble"
    RENEW = "renew a Marble's certificate"
    READ_MANIFEST = "read the manifest"
    READ_UPDATE_LOG = "read the update log"
    MAKE_STATEMENT = "make a statement"
    ACCESS_SECRETS = "read or write secrets"
    UPDATE = "update the manifest"
    APPROVE = "hand in or read approvals"
    READ_METRICS = "read metrics over the network"
    COUNT = "use a monotonic counter"
    SIGN_QUOTE = "sign a quote"
    GIVE_RESULT = "give out an Attestation Result"


_RUNNING = (
    Act.ACTIVATE,
    Act.RENEW,
    Act.READ_MANIFEST,
    Act.READ_UPDATE_LOG,
    Act.MAKE_STATEMENT,
    Act.ACCESS_SECRETS,
    Act.UPDATE,
    Act.APPROVE,
    Act.READ_METRICS,
    Act.COUNT,
    Act.SIGN_QUOTE,
    Act.GIVE_RESULT,
    Act.DRILL,
)

MOVES: Mapping[tuple[Phase, Act], Phase] = MappingProxyType(
    {
        (Phase.ACCEPTING_MANIFEST, Act.SET_MANIFEST): Phase.ACCEPTING_MARBLES,
        (Phase.RECOVERY, Act.SET_MANIFEST): Phase.ACCEPTING_MARBLES,
        (Phase.RECOVERY, Act.RECOVER): Phase.ACCEPTING_MARBLES,
        (Phase.RECOVERY, Act.APPROVE): Phase.RECOVERY,
        (Phase.RECOVERY, Act.DRILL): Phase.RECOVERY,
        **{(Phase.ACCEPTING_MARBLES, act): Phase.ACCEPTING_MARBLES for act in _RUNNING},
    }
)

_MESSAGES: Mapping[Phase, str] = MappingProxyType(
    {
        Phase.UNINITIALIZED: "The Coordinator is starting.",
        Phase.RECOVERY: "The Coordinator cannot open its sealed state and waits for recovery secrets.",
        Phase.ACCEPTING_MANIFEST: "The Coordinator is ready to accept a manifest.",
        Phase.ACCEPTING_MARBLES: "The Coordinator is running and accepts Marbles.",
    }
)

_REMEDIES: Mapping[Phase, str] = MappingProxyType(
    {
        Phase.UNINITIALIZED: "Try again in a moment.",
        Phase.RECOVERY: "Recover the Coordinator with its recovery secrets first.",
        Phase.ACCEPTING_MANIFEST: "Set a manifest first.",
        Phase.ACCEPTING_MARBLES: "A manifest is in force already; change it by an update.",
    }
)


def describe(phase: Phase) -> str:
    """Return one sentence for people, as shown in the status."""
    return _MESSAGES[phase]


def move(phase: Phase, act: Act) -> Phase:
    """Return the phase after `act`.

    Raises:
        PhaseError: There is no row for `act` in `phase`.
    """
    after = MOVES.get((phase, act))
    if after is None:
        wanted = [str(before.value) for before, possible in MOVES if possible is act]
        raise PhaseError(
            f"cannot {act.value} in this state",
            found=f"state {phase.value}: {describe(phase)}",
            wanted=f"state {' or '.join(wanted)}",
            remedy=_REMEDIES[phase],
        )
    return after
