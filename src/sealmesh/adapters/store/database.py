"""The SQLite file: schema, connections, and foreign exceptions made ours.

The file is the host's to change, so what is read from it is checked here for shape (types, schema) and by
the caller for truth (envelopes, head).
"""

import sqlite3
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sealmesh.errors.store import SealedDataError, StoreError

#: "SEMS", in the header of the file, where `file` and SQLite show it.
_APPLICATION_ID: Final = 0x53454D53
_SCHEMA_VERSION: Final = 1
#: A commit rewrites about six pages; with the default of 4096 that would be 24 kB for a few changed bytes.
_PAGE_BYTES: Final = 1024
#: A log that a burst made larger is cut back to this at the next checkpoint.
_LOG_LIMIT_BYTES: Final = 4 * 1024 * 1024

_SCHEMA: Final = {
    "record": "CREATE TABLE record (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " version INTEGER NOT NULL, live INTEGER NOT NULL, sealed BLOB NOT NULL)",
    "record_version": "CREATE INDEX record_version ON record (version)",
    "leaf": "CREATE TABLE leaf (number INTEGER PRIMARY KEY, version INTEGER NOT NULL, sealed BLOB NOT NULL)",
    "head": "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, sealed BLOB NOT NULL)",
    "seal": "CREATE TABLE seal (id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL,"
    " key_id BLOB NOT NULL, wrapped BLOB NOT NULL, mode TEXT NOT NULL, recovery BLOB NOT NULL)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRow:
    """What lies in the file in plain: how to come to the data-encryption key.

    Attributes:
        generation: Counts the data-encryption keys.
        key_id: Of the key-encryption key that opens `wrapped`.
        mode: The seal mode, for when `sealed_key` is lost and made anew.
        recovery: An encoded `RecoveryInfo`.
    """

    generation: int
    key_id: bytes
    wrapped: bytes
    mode: str
    recovery: bytes


class _Translated:
    """A context manager without a generator: every read and write of the store goes through several."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sqlite3.OperationalError | OSError):
            raise StoreError("The sealed data cannot be used", found=str(error)) from error
        if isinstance(error, sqlite3.Error | UnicodeDecodeError | OverflowError):
            raise SealedDataError("The sealed data is damaged", found=str(error)) from error


_TRANSLATED: Final = _Translated()


def translated() -> AbstractContextManager[None]:
    """Turn SQLite's exceptions into ours.

    Raises:
        StoreError: The file cannot be used now.
        SealedDataError: The file is damaged.
    """
    return _TRANSLATED


def create(path: Path) -> sqlite3.Connection:
    """Return a connection to a new file with empty tables, in a transaction; `path` is there and empty.

    It is not in WAL mode yet, so everything written goes into the one file.
    """
    connection = _connected(path)
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    connection.execute("BEGIN")
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    for statement in _SCHEMA.values():
        connection.execute(statement)
    return connection


def attach(path: Path) -> sqlite3.Connection:
    """Return a connection to the existing file at `path`, in WAL mode.

    Raises:
        SealedDataError: Not a file of this application and version, or with a changed schema.
        StoreError: It cannot be opened.
    """
    with translated():
        connection = _connected(path)
        try:
            _check_schema(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT_BYTES}")
        except BaseException:
            connection.close()
            raise
    return connection


def settle(path: Path) -> None:
    """Bring what is in the companions of the file at `path` into it, as far as it can be read."""
    with suppress(sqlite3.Error), closing(_connected(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def read_seal(connection: sqlite3.Connection) -> SealRow:
    """Return the plain row.

    Raises:
        SealedDataError: It is missing or damaged.
    """
    match connection.execute("SELECT generation, key_id, wrapped, mode, recovery FROM seal").fetchall():
        case [(int(generation), bytes(key_id), bytes(wrapped), str(mode), bytes(recovery))]:
            return SealRow(
                generation=generation, key_id=key_id, wrapped=wrapped, mode=mode, recovery=recovery
            )
    raise SealedDataError("The sealed data does not say how it is sealed")


def write_seal(connection: sqlite3.Connection, row: SealRow) -> None:
    """Write the plain row in place of the one before."""
    connection.execute(
        "INSERT OR REPLACE INTO seal (id, generation, key_id, wrapped, mode, recovery)"
        " VALUES (1, ?, ?, ?, ?, ?)",
        (row.generation, row.key_id, row.wrapped, row.mode, row.recovery),
    )


def _connected(path: Path) -> sqlite3.Connection:
    # rw: a file that is missing must not come into being empty.
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None, check_same_thread=False, timeout=5
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_schema(connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != _APPLICATION_ID or version != _SCHEMA_VERSION:
        raise SealedDataError(
            "`sealed_data` is not a state of this version",
            found=f"application {application:#x}, schema {version}",
            wanted=f"application {_APPLICATION_ID:#x}, schema {_SCHEMA_VERSION}",
        )
    found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
    if found != _SCHEMA:
        raise SealedDataError("Somebody changed the tables of `sealed_data`", found=sorted(map(str, found)))
