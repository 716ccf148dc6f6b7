"""Until when: `7d`, `12h`, `30m`, or a time."""

import re
from datetime import UTC, datetime, timedelta

from sealmesh.errors.cli import UsageError

_SPAN = re.compile(r"([1-9][0-9]{0,5})([mhd])\Z")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parse_expiry(text: str, now: datetime) -> datetime:
    """Return the end, aware, in whole seconds.

    Raises:
        UsageError: It is neither a span nor a time with its zone, or it is over.
    """
    span = _SPAN.match(text)
    try:
        end = now + timedelta(**{_UNITS[span[2]]: int(span[1])}) if span else datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        end = None
    if end is None or end.tzinfo is None:
        raise UsageError("this is no end", found=text[:40], wanted="7d, 12h, 30m or 2026-01-31T12:00:00Z")
    if end <= now:
        raise UsageError("this is over already", found=text)
    return end.astimezone(UTC).replace(microsecond=0)
