"""From a package document to what is on disk: find the files, hash them."""

import os
import shutil
from collections.abc import Iterator
from hashlib import file_digest, sha256
from pathlib import Path

from sealmesh.adapters.attester.document import PackageDocument, is_utf8
from sealmesh.attestation.simulated import MeasuredFile, PackageContent
from sealmesh.errors.attestation import PackageError

SKIPPED = "__pycache__"
"""Directories that Python fills by itself; the sources beside them are measured."""


def measure_document(
    document: PackageDocument, *, search_path: str | None = None
) -> tuple[PackageContent, Path]:
    """Return what a package is made of on this disk, and the program's path.

    Args:
        document: The package document.
        search_path: Where to look for a program without `/` that is not beside the document; the
            process's own PATH by default.

    Raises:
        PackageError: `package:file`, something named is missing or cannot be read.
    """
    exe = find_exe(document.exe, document.directory, search_path)
    files: dict[str, MeasuredFile] = {}
    unmeasured = frozenset(os.path.realpath(path) for path in document.unmeasured)
    for source, target in (
        (exe, document.exe),
        *((document.directory / f.source, f.target) for f in document.files),
    ):
        for file in measure_path(source, target, unmeasured=unmeasured):
            if files.setdefault(file.name, file) != file:
                raise PackageError(f"two different files are named {file.name}", code="package:file")
    settings = document.settings
    if (policy := coordinator_policy(document)) is not None:
        settings = (*settings, ("coordinator", policy))
    content = PackageContent(
        exe=document.exe,
        args=document.args,
        environment=document.environment,
        files=tuple(sorted(files.values(), key=lambda file: file.name)),
        settings=settings,
    )
    return content, exe


def find_exe(name: str, directory: Path, search_path: str | None) -> Path:
    """Return the program's path: beside the document, or for a bare name in the search path."""
    beside = directory / name
    if beside.is_file():
        return beside
    found = shutil.which(name, path=search_path) if "/" not in name else None
    if found is None:
        raise PackageError(
            f"the program {name} is not there", code="package:file", found=f"nothing at {beside}"
        )
    return Path(found)


def coordinator_policy(document: PackageDocument) -> bytes | None:
    """Return the policy by which this package verifies the Coordinator, as it is written."""
    if not isinstance(document.coordinator, Path):
        return document.coordinator
    try:
        return document.coordinator.read_bytes()
    except OSError as error:
        raise _unreadable(document.coordinator, error) from error


def measure_path(
    path: Path, name: str, *, unmeasured: frozenset[str] = frozenset()
) -> Iterator[MeasuredFile]:
    """Yield a file, or all files of a directory, under their names in the package.

    A link to a file counts as the file. A link to a directory counts as itself (`name/` and where it
    points to), so that no tree is walked twice or left out in silence.

    Args:
        path: The file or directory.
        name: Its name in the package.
        unmeasured: Real paths that are left out where a directory holds them.

    Raises:
        PackageError: `package:file`, missing, unreadable, or with a name that is not UTF-8.
    """
    if path.is_dir():
        yield from _measure_directory(path, name, unmeasured)
    elif path.is_file():
        yield _measure_file(path, name)
    else:
        raise PackageError(
            f"{path} cannot be measured",
            code="package:file",
            found="no such file" if not os.path.lexists(path) else "neither file nor directory",
        )


def _measure_directory(path: Path, name: str, unmeasured: frozenset[str]) -> Iterator[MeasuredFile]:
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(path, error) from error
    for entry in entries:
        inner = f"{name}/{entry.name}"
        if entry.name == SKIPPED or os.path.realpath(entry.path) in unmeasured:
            continue
        if not is_utf8(entry.name):
            raise PackageError(f"a name in {path} is not UTF-8", code="package:file", found=repr(entry.name))
        if entry.is_symlink() and entry.is_dir():
            target = os.fsencode(os.readlink(entry.path))
            yield MeasuredFile(name=f"{inner}/", sha256=sha256(target).digest())
        else:
            yield from measure_path(Path(entry.path), inner, unmeasured=unmeasured)


def _measure_file(path: Path, name: str) -> MeasuredFile:
    try:
        with path.open("rb") as file:
            return MeasuredFile(name=name, sha256=file_digest(file, "sha256").digest())
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> PackageError:
    return PackageError(f"{path} cannot be read", code="package:file", found=error.strerror)
