"""What one transaction will write: several changes, one after another, each all or nothing.

Shared by all stores, so that the rules of compare-and-swap stand in one place.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from sealmesh.coordinator.ports import Change
from sealmesh.errors.store import StoreConflict
from sealmesh.ledger import Frontier


@dataclass(frozen=True, slots=True)
class Written:
    """A record as one change leaves it; `value` is None for a deleted one."""

    version: int
    value: bytes | None


@dataclass(slots=True)
class Draft:
    """The changes accepted so far, over what the store holds.

    Attributes:
        stored: Gives the version and liveness of a record in the store, None where there never was one.
        version: Of the last change accepted.
        frontier: Of the ledger with the leaves accepted.
    """

    stored: Callable[[str], tuple[int, bool] | None]
    version: int
    frontier: Frontier
    records: dict[str, Written] = field(default_factory=dict)
    leaves: list[tuple[int, bytes]] = field(default_factory=list)

    def apply(self, change: Change) -> int:
        """Take `change` in and return its version; an empty one keeps the version.

        Raises:
            StoreConflict: An expectation does not hold; the draft is as before.
        """
        for key, wanted in change.expects.items():
            self._check(key, wanted)
        if not change.puts and not change.appends:
            return self.version
        self.version += 1
        for key, value in change.puts.items():
            self.records[key] = Written(self.version, value)
        for leaf in change.appends:
            self.leaves.append((self.version, leaf))
            self.frontier = self.frontier.append(leaf)
        return self.version

    def _check(self, key: str, wanted: int) -> None:
        drafted = self.records.get(key)
        found = self.stored(key) if drafted is None else (drafted.version, drafted.value is not None)
        version, live = found or (0, False)
        # A deleted record is absent, for those who never saw it; who saw the deletion may name its version.
        if wanted != version and (live or wanted != 0):
            raise StoreConflict(key, found=f"version {version}", wanted=f"version {wanted}")
