"""The named ways in which an operator may choose MarbleRun's behaviour over the safe one.

Each is off unless named. `marblerun` stands for all of them (COMPAT section 15).
"""

import difflib
from collections.abc import Iterable
from enum import StrEnum

from sealmesh.errors.configuration import UnknownRelaxation

ALL = "marblerun"


class Relaxation(StrEnum):
    """One relaxation, by the name it has in `--compat` and `SEALMESH_COMPAT`."""

    LENIENT_MANIFEST = "lenient-manifest"
    """Unknown manifest keys and `Infrastructures` are ignored."""
    INSECURE_EMPTY_QUOTES = "insecure-empty-quotes"
    """Marbles need no Evidence, nor does the Coordinator. Everything issued is marked as simulation."""
    INSECURE_HOST_NAMES = "insecure-host-names"
    """A certificate carries whatever names the request asks for."""
    INSECURE_USER_CHAIN = "insecure-user-chain"
    """A user's certificate counts anywhere in a connection's chain, without proof of its key."""
    INSECURE_RECOVERY_RESET = "insecure-recovery-reset"
    """Anybody may set a new manifest while the Coordinator waits for recovery."""
    INSECURE_OPEN_METRICS = "insecure-open-metrics"
    """Metrics and events are served over plain HTTP on any address."""
    MARBLERUN_NAMES = "marblerun-names"
    """The CA certificates carry MarbleRun's common names."""


def parse_relaxations(names: Iterable[str]) -> frozenset[Relaxation]:
    """Return the relaxations named; blanks around a name and empty names are ignored.

    Raises:
        UnknownRelaxation: A name is none; the error suggests the nearest one.
    """
    chosen: set[Relaxation] = set()
    for name in (raw.strip() for raw in names):
        if name == ALL:
            chosen.update(Relaxation)
        elif name:
            chosen.add(_relaxation(name))
    return frozenset(chosen)


def _relaxation(name: str) -> Relaxation:
    try:
        return Relaxation(name)
    except ValueError:
        known = [ALL, *(item.value for item in Relaxation)]
        near = difflib.get_close_matches(name, known, n=1)
        remedy = f"Did you mean `{near[0]}`?" if near else None
        raise UnknownRelaxation(
            "unknown relaxation", found=name, wanted=", ".join(known), remedy=remedy
        ) from None
