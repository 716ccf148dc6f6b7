"""The statements on the tables; what comes out is checked for types, what goes in is sealed."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from sealmesh.adapters.store.database import SealRow, write_seal
from sealmesh.adapters.store.draft import Written
from sealmesh.adapters.store.head import Head, sum_modulo
from sealmesh.adapters.store.vault import Vault, plain_digest
from sealmesh.errors.store import SealedDataError


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record as it lies in the file."""

    name: str
    version: int
    live: bool
    sealed: bytes


@dataclass(frozen=True, slots=True)
class HeadRow:
    """The head as it lies in the file."""

    version: int
    generation: int
    sealed: bytes


def read_head(connection: sqlite3.Connection) -> HeadRow:
    """Return the head.

    Raises:
        SealedDataError: It is missing or damaged.
    """
    match connection.execute("SELECT version, generation, sealed FROM head").fetchall():
        case [(int(version), int(generation), bytes(sealed))] if version >= 0:
            return HeadRow(version, generation, sealed)
    raise SealedDataError("The sealed data has no head")


def read_records(connection: sqlite3.Connection, since: int) -> Iterator[RecordRow]:
    """Yield the records changed after `since`, deleted ones too.

    Raises:
        SealedDataError: A row is damaged.
    """
    query = "SELECT name, version, live, sealed FROM record"
    rows = connection.execute(f"{query} WHERE version > ?", (since,)) if since else connection.execute(query)
    for row in rows:
        match row:
            case (str(name), int(version), 0 | 1 as live, bytes(sealed)) if version > 0:
                yield RecordRow(name, version, bool(live), sealed)
            case _:
                raise SealedDataError("A row of the sealed data is damaged")


def read_leaves(
    connection: sqlite3.Connection, vault: Vault, start: int, stop: int
) -> Iterator[tuple[int, bytes]]:
    """Yield version and content of the leaves `start` to `stop`, without a gap.

    Raises:
        SealedDataError: One is missing or damaged.
    """
    query = "SELECT number, version, sealed FROM leaf WHERE number >= ? AND number < ? ORDER BY number"
    expected = start
    for row in connection.execute(query, (start, stop)):
        match row:
            case (int(number), int(version), bytes(sealed)) if number == expected and version > 0:
                yield version, vault.open_leaf(number, version, sealed)
            case _:
                raise SealedDataError("A leaf of the ledger is missing or damaged", found=expected)
        expected += 1
    if expected != max(start, stop):
        raise SealedDataError("A leaf of the ledger is missing", found=expected)


def write_record(connection: sqlite3.Connection, row: RecordRow) -> None:
    """Write a record in place of the one before."""
    connection.execute(
        "INSERT INTO record (name, version, live, sealed) VALUES (?, ?, ?, ?) ON CONFLICT (name)"
        " DO UPDATE SET version = excluded.version, live = excluded.live, sealed = excluded.sealed",
        (row.name, row.version, int(row.live), row.sealed),
    )


def write_leaf(connection: sqlite3.Connection, vault: Vault, number: int, version: int, leaf: bytes) -> None:
    """Seal and write the leaf `number`."""
    connection.execute(
        "INSERT INTO leaf (number, version, sealed) VALUES (?, ?, ?)",
        (number, version, vault.seal_leaf(number, version, leaf)),
    )


def write_head(connection: sqlite3.Connection, vault: Vault, head: Head) -> HeadRow:
    """Seal and write the head in place of the one before, and return its row."""
    row = HeadRow(head.version, vault.generation, vault.seal_head(head))
    connection.execute(
        "INSERT OR REPLACE INTO head (id, version, generation, sealed) VALUES (1, ?, ?, ?)",
        (row.version, row.generation, row.sealed),
    )
    return row


def seal_written(vault: Vault, name: str, written: Written) -> RecordRow:
    """Return the row of a record."""
    sealed = vault.seal_value(name, written.version, written.value)
    return RecordRow(name, written.version, written.value is not None, sealed)


def write_everything(
    connection: sqlite3.Connection,
    vault: Vault,
    seal: SealRow,
    head: Head,
    *,
    records: Mapping[str, Written],
    leaves: Iterable[tuple[int, bytes]],
) -> None:
    """Replace the whole content of the file, in the transaction that `connection` is in.

    Args:
        connection: In a transaction.
        vault: Seals everything.
        seal: The plain row that belongs to the vault.
        head: Version, epoch and frontier; sum and digest are computed here.
        records: All records, deleted ones too.
        leaves: Version and content of all leaves.
    """
    connection.execute("DELETE FROM record")
    connection.execute("DELETE FROM leaf")
    total = 0
    for name, written in records.items():
        row = seal_written(vault, name, written)
        total += vault.weight(name, row.version, row.sealed, live=row.live)
        write_record(connection, row)
    for number, (version, leaf) in enumerate(leaves):
        write_leaf(connection, vault, number, version, leaf)
    write_seal(connection, seal)
    write_head(connection, vault, replace(head, total=sum_modulo(total), plain_digest=plain_digest(seal)))
