"""A directory for the workers' sockets that only their user can enter."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sealmesh.errors.configuration import ConfigurationError

#: The kernel's limit for a socket's path is 108 bytes with the closing zero; a worker's name takes up to 20.
_MAX_BYTES: Final = 84


@contextmanager
def private_directory() -> Iterator[Path]:
    """Make an empty directory (mode 0700), and remove it with all in it at the end.

    Raises:
        ConfigurationError: The place for temporary files cannot be used.
    """
    try:
        directory = tempfile.TemporaryDirectory(prefix="sealmesh-", ignore_cleanup_errors=True)
    except OSError as error:
        raise ConfigurationError("no temporary directory can be made", found=error.strerror) from error
    with directory as name:
        if len(os.fsencode(name)) > _MAX_BYTES:
            raise ConfigurationError(
                "the path of the temporary directory is too long for a socket",
                found=name,
                remedy="Set TMPDIR to a directory with a short path.",
            )
        yield Path(name)
