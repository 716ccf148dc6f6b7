"""Time and entropy of the operating system."""

import os
from datetime import UTC, datetime


def system_clock() -> datetime:
    """Return the time now, aware, UTC."""
    return datetime.now(UTC)


def system_entropy(count: int, /) -> bytes:
    """Return `count` bytes from the kernel's cryptographic generator."""
    return os.urandom(count)
