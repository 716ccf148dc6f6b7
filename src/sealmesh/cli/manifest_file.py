"""Manifests in files."""

from pathlib import Path
from typing import Annotated

import typer

from sealmesh.cli.files import read_file

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The manifest, JSON or YAML.")]


def manifest_bytes(path: Path) -> bytes:
    """Return what is sent and hashed: JSON as it is, YAML as compact JSON (COMPAT section 13)."""
    from sealmesh.manifest import as_json

    return as_json(read_file(path))
