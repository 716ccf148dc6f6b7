"""The sealed store: one SQLite file, every record in an envelope, the head vouching for all.

Invariants:
- What `commit` returned is on the disk (write-ahead log, `synchronous=FULL`), whole.
- Nothing read from the file is believed before the head vouched for it (`Register`).
- A commit writes the changed rows, the head and a few index pages, whatever the number of records.
- Threads share one object. Processes open their own; an object must not be used on both sides of a fork.

What the host sees: names, sizes and versions of records, not their values.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sealmesh.adapters.store.database import SealRow, attach, read_seal, translated
from sealmesh.adapters.store.draft import Draft, Written
from sealmesh.adapters.store.group import GroupCommit, Waiting
from sealmesh.adapters.store.head import Head, sum_modulo
from sealmesh.adapters.store.mooring import Mooring, Unmoored
from sealmesh.adapters.store.register import Entry
from sealmesh.adapters.store.rows import (
    HeadRow,
    RecordRow,
    read_head,
    read_leaves,
    read_records,
    seal_written,
    write_everything,
    write_head,
    write_leaf,
    write_record,
)
from sealmesh.adapters.store.turnstile import Turnstile
from sealmesh.adapters.store.vault import Vault
from sealmesh.adapters.store.witness import Witness
from sealmesh.coordinator.ports import Change, Record, Snapshot
from sealmesh.errors.store import SealedDataError, StoreConflict, StoreError
from sealmesh.ledger import Frontier

#: Called with a name at each place of a write, for tests that kill the process there.
Step = Callable[[str], None]


def no_step(_name: str) -> None:
    """Do nothing; the default at every step."""


class SqliteStore:
    """The store in the file at `path`.

    Args:
        path: An existing file made by `SealedSeat.found`.
        unlock: Gives the vault for the file's plain row; asked again when another process made new keys.
        mooring: What binds the writes to an anchor.
        step: See `Step`.

    Raises:
        SealedDataError: The file is damaged or was tampered with.
        StoreError: The file cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        *,
        unlock: Callable[[SealRow], Vault],
        mooring: Mooring | None = None,
        step: Step = no_step,
    ) -> None:
        self.path = path
        self._mooring = Unmoored() if mooring is None else mooring
        self._step = step
        self._closed = False
        self._read_lock = threading.Lock()
        self._seen = (-1, 0)
        with translated():
            self._turnstile = Turnstile(path.parent)
        self._connections: list[sqlite3.Connection] = []
        try:
            self._reader = self._attached()
            self._writer = self._attached()
            with translated():
                self._writer.execute("PRAGMA busy_timeout = 0")
                self._witness = Witness(read_seal(self._reader), unlock)
            self.head()
        except BaseException:
            self._release()
            raise
        self._group = GroupCommit(self._write)

    def load(self, since: int = 0) -> Snapshot:
        """Return all records changed after version `since`, by name.

        Raises:
            SealedDataError: Anything in the file is not as it was written.
            StoreError: The file cannot be read.
            AnchorError, StateRolledBack: As for `commit`, about what somebody else wrote.
        """
        verified = self._verified_without(since)
        if verified is not None:
            return Snapshot(version=verified, records=())
        with self._reading() as reader:
            head, rows = self._witness.verify(reader, since)
            records = (
                Record(
                    key=row.name,
                    version=row.version,
                    value=self._witness.vault.open_value(row.name, row.version, row.sealed, live=row.live),
                )
                for row in rows
                if row.version > since and (since or row.live)
            )
            snapshot = Snapshot(
                version=head.version, records=tuple(sorted(records, key=lambda item: item.key))
            )
        self._mooring.reach(head.epoch)
        return snapshot

    def version(self) -> int:
        """Return the version of the last commit by anybody; what the file says, verified when loaded.

        Raises:
            StoreError: The file cannot be read.
        """
        with self._read_lock, translated():
            return self._version()

    def commit(self, change: Change) -> int:
        """Write `change` durably and return its version; concurrent callers share one write to the disk.

        Raises:
            StoreConflict: A record in `expects` has another version; nothing was written.
            StoreError: The file cannot be written; nothing was written.
            SealedDataError: The file was tampered with; nothing was written.
            StateRolledBack: An old copy of the file was put back; nothing was written.
            AnchorError: The anchor cannot be asked, and nothing was written; or it did not count, and then
                the change is on the disk and counts with the next one.
        """
        return self._group.commit(change)

    def leaf_count(self) -> int:
        """Return how many ledger leaves there are."""
        return self.frontier()[0]

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """Return the ledger leaves `start` (inclusive) to `stop` (exclusive).

        A request for all is checked against the frontier. Of a part, each leaf is known to have been sealed
        as that leaf; one of a commit that failed and was repeated with other leaves is noticed only by all.

        Raises:
            SealedDataError: A leaf is missing or not as it was written.
        """
        with self._reading() as reader:
            head = self._witness.verify(reader)[0]
            frontier = head.frontier
            first, last = max(start, 0), min(stop, frontier.size)
            leaves = [leaf for _, leaf in read_leaves(reader, self._witness.vault, first, last)]
            if len(leaves) == frontier.size and Frontier().extend(leaves) != frontier:
                raise SealedDataError("Leaves of the ledger were put back")
        self._mooring.reach(head.epoch)
        return leaves

    def frontier(self) -> tuple[int, tuple[bytes, ...]]:
        """Return the leaf count and the roots of the perfect subtrees, largest first (RFC 9162, 2.1)."""
        head = self.head()
        self._mooring.reach(head.epoch)
        return head.frontier.size, head.frontier.roots

    def rekey(
        self,
        change: Change,
        *,
        encryption_key: bytes,
        mode: str,
        recovery: bytes,
        prepare: Callable[[SealRow], None],
    ) -> int:
        """Commit `change` and seal everything anew under new keys, in one transaction.

        Whoever holds an old key, or an old copy of the file, learns nothing about what is written from now
        on. Costs as much as there are records and leaves.

        Args:
            change: As for `commit`.
            encryption_key: The new key-encryption key.
            mode: The seal mode.
            recovery: The encoded `RecoveryInfo` of the new key.
            prepare: Called with the plain row in force, when nobody else can write any more and before
                anything is durable: keeps the new key beside the old one where `unlock` finds both.

        Raises:
            StoreConflict: A record in `expects` has another version; nothing was written.
            StoreError: The file cannot be written; nothing was written.
        """
        with self._group.alone(), self._writing() as head:
            draft = self._draft(head)
            draft.apply(change)
            vault, seal = Vault.new(
                encryption_key,
                generation=self._witness.vault.generation + 1,
                mode=mode,
                recovery=recovery,
                entropy=self._witness.vault.entropy,
            )
            new = replace(
                head,
                version=head.version + 1,
                epoch=self._mooring.next(head.epoch),
                frontier=draft.frontier,
            )
            in_force = read_seal(self._writer)
            old_leaves = list(read_leaves(self._writer, self._witness.vault, 0, head.frontier.size))
            write_everything(
                self._writer,
                vault,
                seal,
                new,
                records={row.name: self._opened(row) for row in read_records(self._writer, 0)}
                | draft.records,
                leaves=[*old_leaves, *draft.leaves],
            )
            prepare(in_force)
        return new.version

    @contextmanager
    def locked(self) -> Iterator[SealRow]:
        """Keep all other writers out, of other processes too, and give the plain row as it is now."""
        with self._group.alone(), self._writing():
            yield read_seal(self._writer)

    def head(self) -> Head:
        """Return the head as it is now, verified, but perhaps not counted by the anchor yet."""
        with self._reading() as reader:
            return self._witness.verify(reader)[0]

    def moor(self) -> int:
        """Bind the state to the anchor anew, whatever its age, or to none; return its version then.

        Raises:
            StoreError: The file cannot be written.
            AnchorError: The anchor cannot be asked or moved.
        """
        with self._group.alone(), self._writing(of_any_age=True) as head:
            epoch = self._mooring.first()
            if epoch == head.epoch:
                return head.version
            new = replace(head, version=head.version + 1, epoch=epoch)
            row = write_head(self._writer, self._witness.vault, new)
        with self._read_lock:
            self._witness.wrote(row, new, {})
        return new.version

    def close(self) -> None:
        """Close the file. The last one to do so brings the log into it."""
        with self._group.alone(), self._read_lock:
            self._release()

    def _version(self) -> int:
        self._check_open()
        changes = self._reader.execute("PRAGMA data_version").fetchone()[0]
        if changes != self._seen[0]:
            self._seen = (changes, read_head(self._reader).version)
        return self._seen[1]

    def _verified_without(self, since: int) -> int | None:
        """Return the present version if it is verified and no record changed after `since`.

        So it is after every admission of this process, which only adds to the ledger.
        """
        with self._read_lock, translated():
            verified = self._witness.verified_without(since)
            return verified if verified == self._version() else None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock, translated():
            self._check_open()
            self._reader.execute("BEGIN")
            try:
                yield self._reader
            finally:
                self._reader.execute("ROLLBACK")

    def _opened(self, row: RecordRow) -> Written:
        return Written(
            row.version, self._witness.vault.open_value(row.name, row.version, row.sealed, live=row.live)
        )

    @contextmanager
    def _writing(self, *, of_any_age: bool = False) -> Iterator[Head]:
        with self._mooring.held():
            with translated():
                self._check_open()
                self._turnstile.begin(self._writer)
                try:
                    with self._read_lock:
                        head, _ = self._witness.verify(self._writer)
                    if not of_any_age:
                        self._mooring.check(head.epoch)
                    self._step("begun")
                    yield head
                    self._step("written")
                    self._writer.execute("COMMIT")
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise
            self._step("committed")
            self._mooring.settle()
            self._step("anchored")

    def _draft(self, head: Head) -> Draft:
        return Draft(stored=self._witness.stored, version=head.version, frontier=head.frontier)

    def _write(self, batch: Sequence[Waiting]) -> None:
        with self._writing() as head:
            draft = self._draft(head)
            for waiting in batch:
                try:
                    waiting.version = draft.apply(waiting.change)
                except StoreConflict as error:
                    waiting.error = error
            if draft.version == head.version:
                return
            row, new, entries = self._put(head, draft)
        with self._read_lock:
            self._witness.wrote(row, new, entries)

    def _put(self, head: Head, draft: Draft) -> tuple[HeadRow, Head, Mapping[str, Entry]]:
        vault, total = self._witness.vault, head.total
        entries: dict[str, Entry] = {}
        for name, written in draft.records.items():
            row = seal_written(vault, name, written)
            entries[name] = self._witness.entry(row)
            old = self._witness.known(name)
            total += entries[name].weight - (0 if old is None else old.weight)
            write_record(self._writer, row)
            self._step("record")
        for number, (version, leaf) in enumerate(draft.leaves, head.frontier.size):
            write_leaf(self._writer, vault, number, version, leaf)
            self._step("leaf")
        new = Head(
            version=draft.version,
            epoch=self._mooring.next(head.epoch),
            total=sum_modulo(total),
            plain_digest=head.plain_digest,
            frontier=draft.frontier,
        )
        return write_head(self._writer, vault, new), new, entries

    def _attached(self) -> sqlite3.Connection:
        connection = attach(self.path)
        self._connections.append(connection)
        return connection

    def _release(self) -> None:
        if not self._closed:
            self._closed = True
            for connection in self._connections:
                connection.close()
            self._turnstile.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("The store is closed")
