"""A time that an option gives."""

from datetime import UTC, datetime

from sealmesh.errors.cli import UsageError


def moment_or_now(text: str | None) -> datetime:
    """Return the time, aware UTC; now where none is given.

    Raises:
        UsageError: It is none.
    """
    if not text:
        return datetime.now(UTC)
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise UsageError("this is no time", found=text, wanted="2026-01-31T12:00:00Z") from error
