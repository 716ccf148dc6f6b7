"""A store in memory: for `SealMode` `Disabled`, and wherever a test needs a store."""

import threading

from sealmesh.adapters.store.draft import Draft
from sealmesh.coordinator.ports import Change, Record, Snapshot
from sealmesh.errors.store import StoreError
from sealmesh.ledger import Frontier


class MemoryStore:
    """Records and leaves of this process, gone with it. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._leaves: list[bytes] = []
        self._version = 0
        self._frontier = Frontier()
        self._closed = False

    def load(self, since: int = 0) -> Snapshot:
        """Return all records changed after version `since`, by name."""
        with self._lock:
            self._check_open()
            changed = (
                record
                for record in self._records.values()
                if record.version > since and (since or record.value is not None)
            )
            return Snapshot(version=self._version, records=tuple(sorted(changed, key=lambda item: item.key)))

    def version(self) -> int:
        """Return the version of the last commit."""
        self._check_open()
        return self._version

    def commit(self, change: Change) -> int:
        """Apply `change` and return the new version.

        Raises:
            StoreConflict: A record in `expects` has another version; nothing was written.
        """
        with self._lock:
            self._check_open()
            draft = Draft(stored=self._stored, version=self._version, frontier=self._frontier)
            self._version = draft.apply(change)
            for key, written in draft.records.items():
                self._records[key] = Record(key=key, version=written.version, value=written.value)
            self._leaves.extend(leaf for _, leaf in draft.leaves)
            self._frontier = draft.frontier
            return self._version

    def leaf_count(self) -> int:
        """Return how many ledger leaves there are."""
        return self.frontier()[0]

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """Return the ledger leaves `start` (inclusive) to `stop` (exclusive)."""
        with self._lock:
            self._check_open()
            return self._leaves[max(start, 0) : max(stop, 0)]

    def frontier(self) -> tuple[int, tuple[bytes, ...]]:
        """Return the leaf count and the roots of the perfect subtrees, largest first."""
        self._check_open()
        return self._frontier.size, self._frontier.roots

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._closed = True
            self._records.clear()
            self._leaves.clear()

    def _stored(self, key: str) -> tuple[int, bool] | None:
        record = self._records.get(key)
        return None if record is None else (record.version, record.value is not None)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("The store is closed")
