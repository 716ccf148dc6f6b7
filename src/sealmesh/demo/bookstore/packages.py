"""The packages of the play: the four programs, each with a document that says what is measured."""

import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sealmesh.demo.bookstore.stage import PROGRAMS, Stage

#: Marble type to the files of its program, the one that is started first.
FILES: Mapping[str, tuple[str, ...]] = {
    "bookwarehouse": ("bookwarehouse.py", "counter.py"),
    "bookstore": ("bookstore.py", "counter.py"),
    "bookbuyer": ("bookbuyer.py", "counter.py"),
    "bookthief": ("bookthief.py", "bookbuyer.py", "counter.py"),
}
STRANGER = ("stranger.py",)


def write_package(folder: Path, files: Sequence[str], *, policy: Path, tls: str = "mesh") -> Path:
    """Put a program and its package document into `folder`; return the folder.

    Args:
        folder: Made; where the program will be started from.
        files: The program, then what it needs; names of files beside the four programs.
        policy: How the Marble recognizes its Coordinator; copied in, and so measured.
        tls: Who does TLS: the `mesh`, or the program itself with the Marble's key (`own`).
    """
    folder.mkdir(parents=True)
    for name in files:
        shutil.copy(PROGRAMS / name, folder / name)
    document = {
        "exe": "python",
        "args": [files[0]],
        "files": list(files),
        "key": "../owner.pem",
        "productID": 1,
        "securityVersion": 1,
        "coordinator": json.loads(policy.read_bytes()),
        "dataplane": {"tls": tls},
    }
    (folder / "sealmesh.json").write_text(json.dumps(document, indent=2))
    return folder


def sign(stage: Stage, folder: Path, *options: str | Path) -> str:
    """Sign the package in `folder` with `sealmesh sign`; return its UniqueID in hex."""
    signed: dict[str, Any] = json.loads(stage.must("sign", folder, "--json", *options))
    return str(signed["UniqueID"])


def sign_all(stage: Stage, folders: Mapping[str, Path]) -> dict[str, str]:
    """Sign several packages, the first before the others because it makes the owner's key."""
    (first, folder), *others = folders.items()
    ids = {first: sign(stage, folder)}
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda item: sign(stage, item[1]), others)
        return ids | {name: unique_id for (name, _), unique_id in zip(others, found, strict=True)}
