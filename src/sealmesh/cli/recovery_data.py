"""Recovery data: the encrypted secrets that a manifest with recovery keys brings, for their owners."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from sealmesh.cli.files import write_file

RecoveryDataOption = Annotated[
    Path | None,
    typer.Option("-r", "--recoverydata", metavar="FILE", help="Write the recovery data there, mode 0600."),
]


def recovery_document(secrets: Mapping[str, bytes]) -> dict[str, object]:
    """Return the secrets as MarbleRun's client writes them."""
    return {"RecoverySecrets": {name: base64.b64encode(item).decode() for name, item in secrets.items()}}


def hand_out(secrets: Mapping[str, bytes], file: Path | None) -> list[str]:
    """Write the recovery data to `file`, if there are any and one was named; return what to print."""
    if not secrets:
        return []
    document = json.dumps(recovery_document(secrets))
    if file is None:
        return [document]
    write_file(file, document.encode() + b"\n", private=True)
    return [f"Recovery data is in {file}: give each owner the share under his key's name."]
