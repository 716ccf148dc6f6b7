"""A directory of ours alone: files appear whole or not at all, and processes take turns."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sealmesh.errors.attestation import PlatformError

_LOCK = "lock"


class PrivateDirectory:
    """A directory with mode 0700.

    Raises:
        PlatformError: It cannot be made, is another user's, or others may enter it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = path.stat()
        except OSError as error:
            raise PlatformError(
                f"the platform directory {path} cannot be made",
                code="platform:directory",
                found=error.strerror,
            ) from error
        if status.st_uid not in (os.geteuid(), 0) or stat.S_IMODE(status.st_mode) & 0o077:
            raise PlatformError(
                f"the platform directory {path} is open to others",
                code="platform:permissions",
                found=f"owner {status.st_uid}, mode {stat.S_IMODE(status.st_mode):04o}",
                wanted=f"owner {os.geteuid()}, mode 0700",
                remedy=f"chmod 700 {path}",
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory's lock; other processes and threads wait."""
        with self._translated(_LOCK):
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, None where there is none."""
        with self._translated(name):
            try:
                return (self.path / name).read_bytes()
            except FileNotFoundError:
                return None

    def write(self, name: str, content: bytes) -> None:
        """Replace a file atomically and durably; mode 0600. Call with the lock held."""
        with self._translated(name):
            temporary = self.path / f".{name}.new"
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self.path / name)
            self._sync()

    def _sync(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PlatformError(
                f"{self.path / name} cannot be used", code="platform:file", found=error.strerror
            ) from error
