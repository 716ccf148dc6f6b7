"""The records of the store as an immutable mapping of shelves, refreshed by what changed.

A refresh copies only the shelves that changed, so its cost does not grow with the records on the others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sealmesh.coordinator.places import shelf_of
from sealmesh.coordinator.ports import Record, Snapshot
from sealmesh.errors.coordinator import StateCorrupt

#: Of a 64-bit number.
_MOST_DIGITS = 20
_EMPTY: Mapping[str, Record] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """All records at one version of the store."""

    version: int = 0
    by_name: Mapping[str, Mapping[str, Record]] = field(default_factory=dict)

    def shelf(self, name: str) -> Mapping[str, Record]:
        """Return the records of one shelf by the rest of their names."""
        return self.by_name.get(name, _EMPTY)

    def record(self, key: str) -> Record | None:
        """Return the record at `key`, or None where there is none."""
        shelf, rest = shelf_of(key)
        return self.shelf(shelf).get(rest)

    def value(self, key: str) -> bytes | None:
        """Return the bytes at `key`, or None where there are none."""
        found = self.record(key)
        return None if found is None else found.value

    def number(self, key: str, default: int = 0) -> int:
        """Return the number at `key`, in decimal digits, or `default` where there is none.

        Raises:
            StateCorrupt: Something else is there.
        """
        found = self.value(key)
        if found is None:
            return default
        if not found.isdigit() or len(found) > _MOST_DIGITS:
            raise StateCorrupt("a record is no number", found=key)
        return int(found)

    def version_of(self, key: str) -> int:
        """Return the version at which `key` was written; 0 where it is absent. For `Change.expects`."""
        found = self.record(key)
        return 0 if found is None else found.version

    def keys(self) -> Iterator[str]:
        """Iterate over the names of all records."""
        return (f"{shelf}/{rest}" for shelf, records in self.by_name.items() for rest in records)

    def refreshed(self, snapshot: Snapshot) -> "Shelves":
        """Return the shelves after the changes of `snapshot`."""
        if not snapshot.records:
            return Shelves(version=snapshot.version, by_name=self.by_name)
        changed: dict[str, dict[str, Record]] = {}
        for record in snapshot.records:
            shelf, rest = shelf_of(record.key)
            if shelf not in changed:
                changed[shelf] = dict(self.shelf(shelf))
            if record.value is None:
                changed[shelf].pop(rest, None)
            else:
                changed[shelf][rest] = record
        return Shelves(version=snapshot.version, by_name={**self.by_name, **changed})
