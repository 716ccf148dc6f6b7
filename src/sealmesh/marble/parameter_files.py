"""Write the files that the manifest gives a Marble: mode 0600, new directories 0700 (COMPAT section 7).

Files hold secrets, so nobody may redirect them: every step of a path is taken without following a symbolic
link, and each file appears whole or not at all.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Final

from sealmesh.errors.marble import ParameterFileError

FILE_MODE: Final = 0o600
DIRECTORY_MODE: Final = 0o700


def write_files(files: Mapping[str, bytes]) -> None:
    """Write all `files`; relative paths start in the working directory.

    Raises:
        ParameterFileError: A path leads through a symbolic link or `..`, or cannot be written.
    """
    for name, content in files.items():
        _write(name, content)


def _write(name: str, content: bytes) -> None:
    path = PurePosixPath(name)
    if not name or "\0" in name or name.endswith("/") or ".." in path.parts or not path.name:
        raise ParameterFileError("A file of the manifest has a path that is refused", found=repr(name))
    try:
        with _directory(path) as directory:
            _refuse_link(path, directory)
            _write_whole(path.name, content, directory)
    except (OSError, UnicodeEncodeError) as error:
        raise ParameterFileError(
            f"The file {name!r} of the manifest cannot be written",
            found=error.strerror if isinstance(error, OSError) else "no file system's name",
            remedy="Use a path without symbolic links in a directory that this user may write",
        ) from error


@contextmanager
def _directory(path: PurePosixPath) -> Iterator[int]:
    """Open the directory of `path`, making what is missing, without following a link."""
    descriptor = os.open(path.anchor or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in path.parent.parts:
            if part in (path.anchor, "."):
                continue
            inner = _step(part, descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _step(part: str, directory: int) -> int:
    try:
        os.mkdir(part, DIRECTORY_MODE, dir_fd=directory)
    except FileExistsError:
        pass
    return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)


def _refuse_link(path: PurePosixPath, directory: int) -> None:
    try:
        is_link = os.path.islink(f"/proc/self/fd/{directory}/{path.name}")
    except OSError:
        return
    if is_link:
        raise ParameterFileError(
            f"The file {path} of the manifest is a symbolic link", found="a link", wanted="a file"
        )


def _write_whole(name: str, content: bytes, directory: int) -> None:
    beside = f".{secrets.token_hex(8)}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(beside, flags, FILE_MODE, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(content)
        os.rename(beside, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(beside, dir_fd=directory)
        raise
