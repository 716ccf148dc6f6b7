"""A directory for UNIX sockets that only their user can enter, at a path short enough for them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sealmesh.errors.configuration import ConfigurationError

#: `sun_path` is 108 bytes with the closing zero (unix(7)); a socket's own name takes up to 20.
_LONGEST: Final = 84
_PREFIX: Final = "sealmesh-"
#: Where to go when the place for temporary files has a long path.
_SHORT_PLACE: Final = "/tmp"  # noqa: S108 - mkdtemp makes a name that nobody can guess, mode 0700


@contextmanager
def socket_directory() -> Iterator[Path]:
    """Make an empty directory (mode 0700), and remove it with all in it at the end.

    It is made where temporary files go (`TMPDIR`), or in `/tmp` where that path is too long for a socket.

    Raises:
        ConfigurationError: No such directory can be made.
    """
    try:
        directory = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_place(), ignore_cleanup_errors=True)
    except OSError as error:
        raise ConfigurationError(
            "no temporary directory can be made",
            found=error.strerror or "",
            remedy="Set TMPDIR to a directory that this user can write.",
        ) from error
    with directory as name:
        yield Path(name)


def _place() -> str:
    usual = tempfile.gettempdir()
    # mkdtemp adds a slash and eight random letters to the prefix.
    return usual if len(os.fsencode(usual)) + len(_PREFIX) + 9 <= _LONGEST else _SHORT_PLACE
