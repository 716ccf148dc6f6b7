"""The file with the Marble's UUID: who this Marble is over restarts, and what its secrets are bound to."""

import os
import uuid
from pathlib import Path

from sealmesh.coordinator.marble_uuid import parse_marble_uuid
from sealmesh.errors import SealmeshError
from sealmesh.errors.marble import MarbleConfigurationError


def read_or_create(path: Path) -> uuid.UUID:
    """Return the UUID in `path`; make a random one where there is no file.

    Raises:
        MarbleConfigurationError: The file holds something else, or cannot be read or written.
    """
    try:
        return _parse(path, path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _create(path)
    except (OSError, UnicodeDecodeError) as error:
        raise MarbleConfigurationError(f"The UUID file {path} cannot be read", found=str(error)) from error


def _parse(path: Path, text: str) -> uuid.UUID:
    try:
        return parse_marble_uuid(text.strip())
    except SealmeshError as error:
        raise MarbleConfigurationError(
            f"The UUID file {path} holds no UUID",
            found=repr(text[:60]),
            remedy="Delete it to become a new Marble; secrets that are bound to the old UUID are lost then",
        ) from error


def _create(path: Path) -> uuid.UUID:
    made = uuid.uuid4()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(str(made), encoding="ascii")
        os.link(beside, path)  # of two that start at once, the first wins
    except FileExistsError:
        return read_or_create(path)
    except OSError as error:
        raise MarbleConfigurationError(
            f"The UUID file {path} cannot be written",
            found=error.strerror,
            remedy="Give --uuid-file a place that this user may write, and that is still there next time",
        ) from error
    finally:
        beside.unlink(missing_ok=True)
    return made
