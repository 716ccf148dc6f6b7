"""Marbles: what they refer to, and what they are given."""

from sealmesh.manifest.model import Manifest, Marble
from sealmesh.manifest.reading.view import Reading
from sealmesh.manifest.report import Path, quoted, suggest


def check_marbles(reading: Reading, manifest: Manifest) -> None:
    """Check every Marble."""
    if not manifest.marbles and reading.sound("Marbles"):
        reading.report.add("marble.none", ("Marbles",), "A manifest needs at least one Marble.")
    for name, marble in manifest.marbles.items():
        path = ("Marbles", name)
        if reading.sound("Marbles", name):
            _check_references(reading, manifest, marble, path)
        _check_environment(reading, marble, path)
        if not reading.lenient:
            _check_spelling(reading, marble, path)


def _check_references(reading: Reading, manifest: Manifest, marble: Marble, path: Path) -> None:
    if not reading.exists("Packages", marble.package, manifest.packages):
        reading.report.add(
            "marble.unknown-package",
            (*path, "Package"),
            f"There is no package {quoted(marble.package)}."
            if marble.package
            else "The Marble names no package.",
            remedy=suggest(marble.package, manifest.packages),
        )
    for index, tag in enumerate(marble.tls):
        if not reading.exists("TLS", tag, manifest.tls):
            reading.report.add(
                "marble.unknown-tls-tag",
                (*path, "TLS", index),
                f"There is no TLS tag {quoted(tag)}.",
                remedy=suggest(tag, manifest.tls),
            )


def _check_environment(reading: Reading, marble: Marble, path: Path) -> None:
    for name, parameter in marble.parameters.env.items():
        if b"\0" in parameter.data:
            reading.report.add(
                "env.nul",
                (*path, "Parameters", "Env", name),
                "The value holds a NUL, which no environment can.",
                remedy="Hand it over as a file.",
            )


def _check_spelling(reading: Reading, marble: Marble, path: Path) -> None:
    for name in marble.parameters.env:
        if not name or "=" in name or "\0" in name:
            reading.report.add(
                "env.bad-name",
                (*path, "Parameters", "Env", name),
                "A variable's name is not empty and holds neither '=' nor NUL.",
            )
    for name in marble.parameters.files:
        if not name or "\0" in name or name.endswith("/"):
            reading.report.add(
                "file.bad-name",
                (*path, "Parameters", "Files", name),
                "A file's path is not empty, holds no NUL and does not end with '/'.",
            )
    for index, argument in enumerate(marble.parameters.argv):
        if "\0" in argument:
            reading.report.add("argv.nul", (*path, "Parameters", "Argv", index), "An argument holds a NUL.")
