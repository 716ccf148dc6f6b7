"""The document that describes a package: EGo's `enclave.json`, or our `sealmesh.json` / `.yaml`.

exe              the program: a path, a file beside the document, or a name in PATH
args             its arguments (ours)
env              [{name, value, fromHost}]
files            paths of files and directories, or EGo's {source, target}
key              the signing key's PEM file, default private.pem
productID, securityVersion, debug
coordinator      how to verify the Coordinator: a policy, or the path of one (ours)
dataplane        what the wrap lets pass: {egress, ingress, tls} (ours, read by `sealmesh.marble`)
heapSize, executableHeap, mounts     EGo's; measured, otherwise without effect
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from sealmesh.attestation.dcap.documents import load_json
from sealmesh.attestation.simulated import EnvironmentVariable
from sealmesh.errors.attestation import EndorsementFormatError, PackageError

NAMES = ("sealmesh.json", "sealmesh.yaml", "sealmesh.yml", "enclave.json")
"""Looked for in this order where a directory is given."""

SIGNATURE_SUFFIX = ".sig"
MAX_DOCUMENT_BYTES = 1024 * 1024
MAX_VALUES = 200_000
"""In a document with its YAML aliases written out: they make a few lines into more than memory holds."""
_SETTINGS = ("heapSize", "executableHeap", "mounts", "dataplane")
_KEYS = (
    "exe", "args", "env", "files", "key", "productID", "securityVersion", "debug", "coordinator", *_SETTINGS,
)  # fmt: skip
_UNREADABLE = (
    yaml.YAMLError, EndorsementFormatError, RecursionError,
    ValueError, LookupError, AttributeError, TypeError, OverflowError,
)  # fmt: skip
"""What the readers raise; the second line is PyYAML's for values that are not of their tag (`!!int ""`)."""
_EXAMPLE = 'A package document looks like {"exe": "app.py", "files": ["app.py"], "productID": 1, ...}.'


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """A file or directory to measure.

    Attributes:
        source: Its path, relative to the document.
        target: The name under which it is measured.
    """

    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageDocument:
    """A package document, checked; nothing on disk was looked at.

    Attributes:
        coordinator: The policy itself (JSON), or the path of its file, or None.
        settings: Measured settings that are not looked at here, as canonical JSON.
    """

    path: Path
    exe: str
    args: tuple[str, ...]
    environment: tuple[EnvironmentVariable, ...]
    files: tuple[FileEntry, ...]
    key: str
    product_id: int
    security_version: int
    debug: bool
    coordinator: bytes | Path | None
    settings: tuple[tuple[str, bytes], ...]

    @property
    def directory(self) -> Path:
        """What relative paths are relative to."""
        return self.path.parent

    @property
    def signature_path(self) -> Path:
        """The signature file beside the document."""
        return self.path.with_name(self.path.name + SIGNATURE_SUFFIX)

    @property
    def unmeasured(self) -> tuple[Path, ...]:
        """What is never measured, also where it lies in a measured directory: signature and signing key."""
        return (self.signature_path, self.directory / self.key)


def is_utf8(text: str) -> bool:
    """Return whether a text can be written in UTF-8 (a name from the file system or from JSON may not)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def find_document(path: Path) -> Path:
    """Return `path`, or the document in it where it is a directory.

    Raises:
        PackageError: `package:document`, there is none.
    """
    candidates = [path / name for name in NAMES] if path.is_dir() else [path]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise PackageError(
        f"there is no package document at {path}",
        code="package:document",
        wanted=" or ".join(NAMES),
        remedy=_EXAMPLE,
    )


def load_document(path: Path) -> PackageDocument:
    """Read and check a package document.

    Raises:
        PackageError: `package:document`, with what is wrong in it.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PackageError(
            f"the package document {path} cannot be read", code="package:document", found=error.strerror
        ) from error
    return parse_document(raw, path)


def parse_document(raw: bytes, path: Path) -> PackageDocument:
    """Check a package document that was read from `path`, whose suffix says whether it is YAML.

    Raises:
        PackageError: `package:document`, with what is wrong in it.
    """
    fields = _Fields(_load(path, raw), path)
    fields.refuse_unknown()
    return PackageDocument(
        path=path,
        exe=fields.text("exe"),
        args=fields.texts("args"),
        environment=fields.environment(),
        files=fields.files(),
        key=fields.text("key", "private.pem"),
        product_id=fields.integer("productID", 1),
        security_version=fields.integer("securityVersion", 1),
        debug=fields.boolean("debug"),
        coordinator=fields.coordinator(),
        settings=fields.settings(),
    )


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len({str(key) for key in keys}) != len(keys):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


def _load(path: Path, raw: bytes) -> object:
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise _wrong(path, f"is longer than {MAX_DOCUMENT_BYTES} bytes")
    try:
        if path.suffix in (".yaml", ".yml"):
            return _counted(yaml.load(raw, Loader=_UniqueKeys))  # noqa: S506 (a SafeLoader)
        return load_json(raw, subject="package document")
    except _UNREADABLE as error:
        raise _wrong(path, f"cannot be read: {error}") from error


def _counted(document: object) -> object:
    waiting, left = [document], MAX_VALUES
    while waiting:
        left -= 1
        if left < 0:
            raise ValueError(f"it has more than {MAX_VALUES} values, with its aliases written out")
        match waiting.pop():
            case dict() as found:
                waiting.extend(found.values())
            case list() as found:
                waiting.extend(found)
    return document


def _wrong(path: Path, problem: str, *, remedy: str = _EXAMPLE) -> PackageError:
    return PackageError(f"the package document {path} {problem}", code="package:document", remedy=remedy)


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and "\0" not in value and is_utf8(value)


class _Fields:
    def __init__(self, value: object, path: Path) -> None:
        self._path = path
        if not isinstance(value, dict):
            raise _wrong(path, "is not an object")
        self._values: Mapping[Any, Any] = value

    def refuse_unknown(self) -> None:
        for key in self._values:
            if key not in _KEYS:
                near = difflib.get_close_matches(str(key), _KEYS, 1)
                remedy = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(_KEYS)}."
                raise _wrong(self._path, f"has an unknown field {key!r}", remedy=remedy)

    def text(self, name: str, default: str | None = None) -> str:
        value = self._values.get(name, default)
        if not _is_text(value) or not value:
            raise _wrong(self._path, f"needs text in {name}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._list(name)
        if not all(_is_text(value) for value in values):
            raise _wrong(self._path, f"needs a list of text in {name}")
        return tuple(values)

    def integer(self, name: str, default: int) -> int:
        value = self._values.get(name, default)
        if type(value) is not int or value < 0:
            raise _wrong(self._path, f"needs a number in {name}")
        return value

    def boolean(self, name: str) -> bool:
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise _wrong(self._path, f"needs true or false in {name}")
        return value

    def environment(self) -> tuple[EnvironmentVariable, ...]:
        variables = []
        for entry in self._list("env"):
            fields = self._nested(entry, "env", {"name", "value", "fromHost"})
            from_host = fields.boolean("fromHost")
            value = fields._values.get("value")
            if not (_is_text(value) or (value is None and from_host)):
                raise _wrong(self._path, "needs a text value for each env entry, or fromHost: true")
            name = fields.text("name")
            if "=" in name:
                raise _wrong(self._path, f"has an env entry that cannot be a variable: {name!r}")
            variables.append(EnvironmentVariable(name=name, value=value, from_host=from_host))
        self._refuse_twice("env", [variable.name for variable in variables])
        return tuple(variables)

    def files(self) -> tuple[FileEntry, ...]:
        entries = []
        for entry in self._list("files"):
            if _is_text(entry) and entry:
                entries.append(FileEntry(source=entry, target=entry.rstrip("/") or "/"))
            else:
                fields = self._nested(entry, "files", {"source", "target"})
                entries.append(FileEntry(source=fields.text("source"), target=fields.text("target")))
        self._refuse_twice("files", [entry.target for entry in entries])
        return tuple(entries)

    def coordinator(self) -> bytes | Path | None:
        value = self._values.get("coordinator")
        match value:
            case None:
                return None
            case str() if value and _is_text(value):
                return self._path.parent / value
            case dict():
                return self._canonical(value)
            case _:
                raise _wrong(self._path, "needs a policy, or the path of one, in coordinator")

    def settings(self) -> tuple[tuple[str, bytes], ...]:
        return tuple(
            (name, self._canonical(self._values[name]))
            for name in _SETTINGS
            if self._values.get(name) is not None
        )

    def _canonical(self, value: object) -> bytes:
        try:
            return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise _wrong(self._path, f"has a value that is not JSON: {error}") from error

    def _list(self, name: str) -> list[Any]:
        values = self._values.get(name)
        if values is None:
            return []
        if not isinstance(values, list):
            raise _wrong(self._path, f"needs a list in {name}")
        return values

    def _nested(self, entry: object, name: str, known: set[str]) -> "_Fields":
        if not isinstance(entry, dict) or not set(entry) <= known:
            raise _wrong(self._path, f"has an entry in {name} that is not one of {', '.join(sorted(known))}")
        return _Fields(entry, self._path)

    def _refuse_twice(self, name: str, values: list[str]) -> None:
        seen: set[str] = set()
        for value in values:
            if value in seen:
                raise _wrong(self._path, f"names {value!r} twice in {name}")
            seen.add(value)
