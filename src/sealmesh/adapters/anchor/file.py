"""A file on another host, or in another place than the state, as anchor.

It holds one line, `sealmesh anchor N`. Whoever can put back this file *and* the state is not stopped: it has
to be where the state's host cannot rewind it, on a mounted share of a host that somebody else runs.
"""

import os
from pathlib import Path
from typing import Final

from sealmesh.errors.store import AnchorError

_WORDS: Final = b"sealmesh anchor "
_MODE: Final = 0o600
_MAX_BYTES: Final = 64


class FileAnchor:
    """The file at `path`; its directory must be there, so that a share that is not mounted is noticed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def count(self) -> int | None:
        """Return the number in the file; None where there is no file."""
        try:
            with self._path.open("rb") as file:
                content = file.read(_MAX_BYTES)
        except FileNotFoundError:
            self._check_directory()
            return None
        except OSError as error:
            raise self._fault("cannot be read", error) from error
        digits = content.removeprefix(_WORDS).rstrip(b"\n")
        if not content.startswith(_WORDS) or not digits.isdigit() or len(digits) > 19:
            raise AnchorError("The anchor's file was not written by a Coordinator", found=str(self._path))
        return int(digits)

    def used(self) -> bool:
        """Tell whether it ever counted."""
        return bool(self.count())

    def begin(self) -> int:
        """Write the file with 0, where there is none."""
        found = self.count()
        if found is None:
            self._write(0)
        return found or 0

    def advance(self, count: int) -> None:
        """Write `count`."""
        found = self.count()
        if found != count - 1:
            raise AnchorError("The anchor's file was changed by somebody else", found=found, wanted=count - 1)
        self._write(count)

    def mark_used(self) -> None:
        """Nothing to do: a number above 0 says it."""

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"the file {self._path}"

    def _check_directory(self) -> None:
        if not self._path.parent.is_dir():
            raise AnchorError(
                "The directory of the anchor's file is not there",
                found=str(self._path.parent),
                remedy="Mount the share that it is on, or make the directory.",
            )

    def _write(self, count: int) -> None:
        new = self._path.with_name(f".{self._path.name}.new")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
            try:
                os.write(descriptor, _WORDS + str(count).encode("ascii") + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            new.rename(self._path)
            self._sync_directory()
        except OSError as error:
            raise self._fault("cannot be written", error) from error

    def _sync_directory(self) -> None:
        descriptor = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _fault(self, what: str, error: OSError) -> AnchorError:
        return AnchorError(f"The anchor's file {what}", found=f"{self._path}: {error.strerror}")
