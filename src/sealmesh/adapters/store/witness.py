"""Believe what is in the file only after the head vouched for it, and remember what was believed."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence

from sealmesh.adapters.store.database import SealRow, read_seal
from sealmesh.adapters.store.head import Head
from sealmesh.adapters.store.register import Entry, Register
from sealmesh.adapters.store.rows import HeadRow, RecordRow, read_head, read_records
from sealmesh.adapters.store.vault import Vault, plain_digest
from sealmesh.errors.store import SealedDataError


class Witness:
    """The verified view of one file; not safe for threads, its owner has a lock.

    Args:
        seal: The plain row of the file.
        unlock: Gives the vault for a plain row.
    """

    def __init__(self, seal: SealRow, unlock: Callable[[SealRow], Vault]) -> None:
        self._unlock = unlock
        self._register = Register()
        self._last: HeadRow | None = None
        self.vault = unlock(seal)

    def verify(
        self, connection: sqlite3.Connection, since: int | None = None
    ) -> tuple[Head, Sequence[RecordRow]]:
        """Verify what changed since the last time, in the transaction that `connection` is in.

        Returns:
            The head, and the records changed after `since` with perhaps some older ones; none without it.

        Raises:
            SealedDataError: Something is not as it was written.
        """
        row = read_head(connection)
        head = self._register.head
        if head is None or row != self._last:
            head = self._opened(connection, row)
        if head == self._register.head and (since is None or not any(self._register.newer_than(since))):
            self._last = row
            return head, ()
        start = self._register.version if since is None else min(since, self._register.version)
        rows = {record.name: record for record in read_records(connection, start)}
        self._register.advance(head, {name: self.entry(record) for name, record in rows.items()})
        self._last = row
        if since is not None and not all(name in rows for name in self._register.newer_than(since)):
            raise SealedDataError("Records of the sealed data are missing")
        return head, tuple(rows.values())

    def verified_without(self, since: int) -> int | None:
        """Return up to which version all is verified, if no record in it changed after `since`."""
        head = self._register.head
        return None if head is None or any(self._register.newer_than(since)) else head.version

    def wrote(self, row: HeadRow, head: Head, entries: Mapping[str, Entry]) -> None:
        """Believe what this process has committed itself, unless it has already seen more."""
        if row.generation == self.vault.generation and head.version > self._register.version:
            self._register.advance(head, entries)
            self._last = row

    def entry(self, row: RecordRow) -> Entry:
        """Return what the register keeps of a record."""
        return Entry(
            row.version, row.live, self.vault.weight(row.name, row.version, row.sealed, live=row.live)
        )

    def known(self, name: str) -> Entry | None:
        """Return what was verified of the record `name`; None where there never was one."""
        return self._register.entries.get(name)

    def stored(self, name: str) -> tuple[int, bool] | None:
        """Return version and liveness of the record `name` as verified."""
        entry = self.known(name)
        return None if entry is None else (entry.version, entry.live)

    def _opened(self, connection: sqlite3.Connection, row: HeadRow) -> Head:
        if row.generation != self.vault.generation:
            self._renew(connection, row.generation)
        head = self.vault.open_head(row.version, row.sealed)
        self._register.check_not_older(head)
        if plain_digest(read_seal(connection)) != head.plain_digest:
            raise SealedDataError("The plain part of the sealed data was changed")
        return head

    def _renew(self, connection: sqlite3.Connection, generation: int) -> None:
        """Take the keys that were made anew; with them everything was sealed anew."""
        vault = self._unlock(read_seal(connection))
        if vault.generation != generation:
            raise SealedDataError("The keys of the sealed data are of another generation")
        self.vault = vault
        self._register = Register(floor=self._register.floor)
