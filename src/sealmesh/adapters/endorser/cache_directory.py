"""Answers of endorsement servers on disk, one file each; several processes may share them.

Nothing in it is secret or believed: what is read back goes through the same readers as an answer from the
network, and is verified with every use.
"""

import json
import os
import tempfile
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sealmesh.adapters.endorser.fetching import Reply
from sealmesh.errors.attestation import EndorserError


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReply:
    """An answer and when it came."""

    reply: Reply
    fetched: datetime


class CacheDirectory:
    """Such a directory.

    Args:
        path: Made where missing.

    Raises:
        EndorserError: It cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(path, error) from error
        if not os.access(path, os.W_OK | os.X_OK):
            raise _unusable(path, "it cannot be written")

    def read(self, key: str) -> KeptReply | None:
        """Return what is kept, or None where there is nothing that can be read."""
        try:
            document = json.loads((self._path / f"{key}.json").read_bytes())
            headers = {str(name): str(value) for name, value in document["headers"].items()}
            return KeptReply(
                reply=Reply(body=b64decode(document["body"], validate=True), headers=headers),
                fetched=datetime.fromtimestamp(int(document["fetched"]), UTC),
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            return None

    def write(self, key: str, kept: KeptReply) -> None:
        """Keep an answer, whole or not at all; a full disk costs the file only."""
        document = {
            "fetched": int(kept.fetched.timestamp()),
            "headers": dict(kept.reply.headers),
            "body": b64encode(kept.reply.body).decode(),
        }
        try:
            with tempfile.NamedTemporaryFile(dir=self._path, prefix=".new-", delete=False) as file:
                file.write(json.dumps(document).encode())
            os.replace(file.name, self._path / f"{key}.json")
        except OSError:
            return


def _unusable(path: Path, problem: object) -> EndorserError:
    return EndorserError(
        "the directory for fetched endorsements cannot be used",
        found=f"{path}: {problem}",
        wanted="a directory that this user can write",
        remedy="Name another with --endorser-cache (SEALMESH_ENDORSER_CACHE).",
    )
