"""Files that commands read and write."""

import os
import tempfile
from pathlib import Path

from sealmesh.errors.cli import FileProblem


def default_certificate_path() -> Path:
    """Return where MarbleRun's client keeps the verified chain (COMPAT section 13)."""
    base = os.environ.get("XDG_CONFIG_HOME") or ""
    config = Path(base) if base else Path.home() / ".config"
    return config / "marblerun" / "coordinator-cert.pem"


def read_file(path: Path) -> bytes:
    """Return the file's bytes.

    Raises:
        FileProblem: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileProblem("cannot read the file", found=f"{path}: {error.strerror}") from error


def write_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file whole or not at all; its folder is made.

    Args:
        path: Where to.
        content: Its bytes.
        private: Only the owner may read it (secrets).

    Raises:
        FileProblem: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(content)
        os.chmod(file.name, 0o600 if private else 0o644)
        os.replace(file.name, path)
    except OSError as error:
        raise FileProblem("cannot write the file", found=f"{path}: {error.strerror}") from error
