"""What a package is made of, and its measurement.

SGX measures the pages that are loaded into an enclave. The simulation measures what decides what the
program does: its files, arguments, declared environment and settings. Encoding, so that no two
contents can look alike: every item is a tag, an 8-byte big-endian length and its bytes; the hash
begins with the name of the format.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256, Hash

_FORMAT = b"sealmesh package measurement v1\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredFile:
    """A file of a package.

    Attributes:
        name: Its path as the package names it, with `/`.
        sha256: SHA-256 of its bytes.
    """

    name: str
    sha256: bytes

    @classmethod
    def of(cls, name: str, content: bytes) -> "MeasuredFile":
        """Return the entry for a file with this content."""
        digest = Hash(SHA256())
        digest.update(content)
        return cls(name=name, sha256=digest.finalize())


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentVariable:
    """A variable that the program is declared to see.

    Attributes:
        name: Its name.
        value: Its value; None where only the host knows it.
        from_host: Whether the host may set it. Then the name is measured, and `value` as the default.
    """

    name: str
    value: str | None
    from_host: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageContent:
    """Everything of a package that is measured.

    Attributes:
        exe: The program, as the package names it; usually also one of `files`.
        args: Its arguments, without the program's own name.
        environment: The declared variables; names are unique.
        files: The measured files; names are unique. Their order does not matter.
        settings: Other measured settings, as name and canonical bytes (heap size, mounts, the
            policy for verifying the Coordinator).
    """

    exe: str
    args: tuple[str, ...] = ()
    environment: tuple[EnvironmentVariable, ...] = ()
    files: tuple[MeasuredFile, ...] = ()
    settings: tuple[tuple[str, bytes], ...] = ()

    def __post_init__(self) -> None:
        for kind, names in (
            ("file", [file.name for file in self.files]),
            ("environment variable", [variable.name for variable in self.environment]),
            ("setting", [name for name, _ in self.settings]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"a {kind} stands twice in the package")


def measure(content: PackageContent) -> bytes:
    """Return the UniqueID of a package, 32 bytes."""
    digest = Hash(SHA256())
    digest.update(_FORMAT)
    for tag, value in _items(content):
        digest.update(tag + len(value).to_bytes(8, "big") + value)
    return digest.finalize()


def differences(signed: PackageContent, found: PackageContent) -> tuple[str, ...]:
    """Say in plain words where `found` is not what was signed; empty when they are the same."""
    before, after = {f.name: f.sha256 for f in signed.files}, {f.name: f.sha256 for f in found.files}
    lines = [
        f"file {name} "
        + ("is missing" if name not in after else "is new" if name not in before else "changed")
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    if (signed.exe, signed.args) != (found.exe, found.args):
        lines.append("the program or its arguments changed")
    if sorted(signed.environment, key=_name) != sorted(found.environment, key=_name):
        lines.append("the declared environment changed")
    if sorted(signed.settings) != sorted(found.settings):
        lines.append("the settings changed")
    return tuple(lines)


def _name(variable: EnvironmentVariable) -> str:
    return variable.name


def _items(content: PackageContent) -> Iterator[tuple[bytes, bytes]]:
    yield b"x", content.exe.encode()
    for argument in content.args:
        yield b"a", argument.encode()
    for variable in sorted(content.environment, key=_name):
        yield b"e", variable.name.encode()
        yield b"h" if variable.from_host else b"f", b""
        if variable.value is not None:
            yield b"v", variable.value.encode()
    for file in sorted(content.files, key=lambda file: file.name):
        yield b"n", file.name.encode()
        yield b"d", file.sha256
    for name, value in sorted(content.settings):
        yield b"s", name.encode()
        yield b"t", value
