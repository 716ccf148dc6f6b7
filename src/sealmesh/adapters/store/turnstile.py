"""Writers of several processes take turns.

SQLite's own wait for its write lock sleeps up to 100 ms at a time and lets a busy process overtake the
others again and again. Here a writer first takes the turnstile (a lock on the seal directory) and keeps it
until it has the write lock; so a process that has just written queues behind those that wait.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sealmesh.errors.store import StoreError

#: Longer than any commit or checkpoint takes on a disk that works; a stopped process holds up the others.
WAIT_SECONDS: Final = 10.0
#: A commit takes the disk one to several of these; each look costs a tenth of one in CPU.
_POLL_SECONDS: Final = 0.001


class Turnstile:
    """A lock on a directory or file between processes; in one process callers have a lock of their own."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock.

        Raises:
            StoreError: Somebody else holds it for too long.
        """
        self.acquire(time.monotonic() + WAIT_SECONDS)
        try:
            yield
        finally:
            self.release()

    def acquire(self, deadline: float) -> None:
        """Take the lock, waiting until `deadline` on the monotonic clock.

        Raises:
            StoreError: Somebody else held it until then.
        """
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                _pause(deadline, error)
            else:
                return

    def release(self) -> None:
        """Let the next one in."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def begin(self, connection: sqlite3.Connection) -> None:
        """Begin a write transaction on `connection` (whose busy timeout is 0), in turn.

        Raises:
            StoreError: Another writer does not end.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        self.acquire(deadline)
        try:
            _begin(connection, deadline)
        finally:
            self.release()

    def close(self) -> None:
        """Close the directory or file."""
        os.close(self._descriptor)


def _begin(connection: sqlite3.Connection, deadline: float) -> None:
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            _pause(deadline, error)
        else:
            return


def _pause(deadline: float, error: Exception) -> None:
    if time.monotonic() > deadline:
        raise StoreError(
            "Another process holds the sealed data",
            found=f"no turn in {WAIT_SECONDS:g} s",
            remedy="Look for a Coordinator process that is stopped, or a tool that has `sealed_data` open",
        ) from error
    time.sleep(_POLL_SECONDS)
