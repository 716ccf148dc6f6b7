"""Files that are whole or not there."""

import os
from pathlib import Path
from typing import Final

from sealmesh.errors.store import StoreError

FILE_MODE: Final = 0o600
DIRECTORY_MODE: Final = 0o700


def make_directory(path: Path) -> None:
    """Make `path`, readable by its owner only; one that exists stays as it is.

    Raises:
        StoreError: It cannot be made.
    """
    try:
        path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError("The seal directory cannot be made", found=str(error)) from error


def make_empty(path: Path) -> None:
    """Make an empty file, readable by its owner only, in place of what is there."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))


def touch(path: Path) -> None:
    """Make an empty file where there is none, readable by its owner only."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))


def write_durably(path: Path, content: bytes) -> None:
    """Replace the file at `path`: afterwards, and after a crash at any time, it is the old one or the new."""
    new = path.with_name(path.name + ".new")
    make_empty(new)
    descriptor = os.open(new, os.O_WRONLY | os.O_CLOEXEC)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.rename(path)
    sync_directory(path.parent)


def link_aside(path: Path, aside: Path) -> None:
    """Keep the file at `path` under a second name, in place of what had it."""
    aside.unlink(missing_ok=True)
    if path.exists():
        aside.hardlink_to(path)


def sync_directory(path: Path) -> None:
    """Bring renames in the directory to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
