"""What the Coordinator needs from the world, as protocols.

Everything here is synchronous; an adapter translates foreign exceptions into `SealmeshError`s at its
boundary. One contract suite per port runs against every adapter (`tests/contract`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sealmesh.pki import KeyFactory

__all__ = ["Change", "Clock", "Entropy", "KeyFactory", "Record", "Snapshot", "Store"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of the store. `value` is None where the record was deleted at `version`."""

    key: str
    version: int
    value: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A consistent view: all records changed after the version that was asked for."""

    version: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one decision writes, all or nothing.

    Attributes:
        puts: Records to write; None deletes.
        expects: For each record the decision rests on, the version it was read at; 0 means absent.
        appends: Leaves for the ledger, in order. Appending never conflicts.
    """

    puts: Mapping[str, bytes | None] = field(default_factory=dict)
    expects: Mapping[str, int] = field(default_factory=dict)
    appends: tuple[bytes, ...] = ()


class Store(Protocol):
    """Durable, sealed records with compare-and-swap, and the ledger's leaves."""

    def load(self, since: int = 0) -> Snapshot:
        """Return all records changed after version `since`, and the version this view is of.

        With `since` 0 deleted records are left out.
        """
        ...

    def version(self) -> int:
        """Return the version of the last commit by anybody; cheap enough for every request."""
        ...

    def commit(self, change: Change) -> int:
        """Write `change` atomically and durably, return the new version.

        Raises:
            StoreConflict: A record in `expects` has another version; nothing was written.
            StoreError: The store cannot be written.
        """
        ...

    def leaf_count(self) -> int:
        """Return how many ledger leaves there are."""
        ...

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """Return the ledger leaves `start` (inclusive) to `stop` (exclusive)."""
        ...

    def frontier(self) -> tuple[int, tuple[bytes, ...]]:
        """Return the leaf count and the roots of the perfect subtrees, largest first (RFC 9162, 2.1)."""
        ...

    def close(self) -> None:
        """Release files and threads."""
        ...


class Clock(Protocol):
    """The time, as an aware UTC datetime."""

    def __call__(self) -> datetime: ...


class Entropy(Protocol):
    """Cryptographically secure random bytes."""

    def __call__(self, count: int, /) -> bytes: ...
