"""Policies and statements as files."""

import os
import tempfile
from pathlib import Path

from sealmesh.errors.client import ClientError
from sealmesh.errors.ledger import RelyingPolicyError
from sealmesh.ledger import RelyingPolicy, VerifiedApplication, parse_policy
from sealmesh.ledger.unverified import MAX_STATEMENT_BYTES


def read_policy(path: Path) -> RelyingPolicy:
    """Return the policy in the file `path`.

    Raises:
        RelyingPolicyError: The file cannot be read or is no policy.
    """
    try:
        return parse_policy(path.read_bytes())
    except OSError as error:
        raise RelyingPolicyError(
            "the policy file cannot be read", found=f"{path}: {error.strerror}"
        ) from error


def read_statement(path: Path) -> bytes:
    """Return the statement in the file `path`, unverified.

    Raises:
        ClientError: The file cannot be read, or is larger than any statement.
    """
    try:
        if path.stat().st_size > MAX_STATEMENT_BYTES:
            raise ClientError("the file is too large for a statement", found=path)
        return path.read_bytes()
    except OSError as error:
        raise ClientError("the statement cannot be read", found=f"{path}: {error.strerror}") from error


def write_statement(application: VerifiedApplication, path: Path) -> None:
    """Write the verified statement to `path`, whole or not at all.

    Raises:
        ClientError: The file cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(application.document)
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except OSError as error:
        raise ClientError("the statement cannot be written", found=f"{path}: {error.strerror}") from error
