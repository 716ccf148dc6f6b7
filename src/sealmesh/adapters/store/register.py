"""What one process has verified of the records: name, version, weight of each, and their sum.

It grows by what changed (`advance`), and only ever to a state whose sum the sealed head vouches for. So
expectations are checked against verified versions without reading a row, and a store that goes back to an
older state while the process runs is noticed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sealmesh.adapters.store.head import Head, sum_modulo
from sealmesh.errors.store import SealedDataError


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as verified."""

    version: int
    live: bool
    weight: int


@dataclass(slots=True)
class Register:
    """Verified up to `head`, which is None before anything was.

    Attributes:
        entries: In the order of their versions.
        floor: Version and epoch below which no head is believed any more.
    """

    head: Head | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    floor: tuple[int, int] = (0, 0)

    @property
    def version(self) -> int:
        """Up to which version the records are verified."""
        return 0 if self.head is None else self.head.version

    def stored(self, name: str) -> tuple[int, bool] | None:
        """Return version and liveness of the record, None where there never was one."""
        entry = self.entries.get(name)
        return None if entry is None else (entry.version, entry.live)

    def newer_than(self, version: int) -> Iterator[str]:
        """Yield the names of the records changed after `version`; costs what it yields."""
        for name, entry in reversed(self.entries.items()):
            if entry.version <= version:
                return
            yield name

    def check_not_older(self, head: Head) -> None:
        """Refuse a head from before what was verified already, or another one of the same version.

        Raises:
            SealedDataError: It is.
        """
        same_version = self.head is not None and head.version == self.head.version
        if (head.version, head.epoch) < self.floor or (same_version and head != self.head):
            raise SealedDataError(
                "The sealed data went back to another state while the Coordinator ran",
                found=f"version {head.version}",
                wanted=f"version {self.floor[0]} or later",
            )

    def advance(self, head: Head, rows: Mapping[str, Entry]) -> None:
        """Take in `rows`, among them all that changed since the last time, if `head` vouches for the result.

        Raises:
            SealedDataError: It does not: a row is missing, too many, moved or older than it should be. The
                register is as before.
        """
        total = 0 if self.head is None else self.head.total
        changed: dict[str, Entry] = {}
        for name, entry in rows.items():
            old = self.entries.get(name)
            if entry == old:
                continue
            if not self.version < entry.version <= head.version:
                raise SealedDataError("A record of the sealed data was put back", found=repr(name))
            total += entry.weight - (0 if old is None else old.weight)
            changed[name] = entry
        if sum_modulo(total) != head.total:
            raise SealedDataError("Records of the sealed data are missing, too many or from an older time")
        for name in sorted(changed, key=lambda item: changed[item].version):
            self.entries.pop(name, None)
            self.entries[name] = changed[name]
        self.head = head
        self.floor = (head.version, head.epoch)
