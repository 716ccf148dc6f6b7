"""Read durations: seconds, or Go's notation (`time.ParseDuration`)."""

import re
from datetime import timedelta

from sealmesh.manifest.gojson import unsigned
from sealmesh.manifest.limits import MAX_LIFETIME, MIN_LIFETIME
from sealmesh.manifest.reading.view import Reading, View

_PART = re.compile(r"([0-9]{1,10})(?:\.([0-9]{0,9}))?(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> timedelta | None:
    """Return the duration of `1h30m`, `90s`, `1.5h`; None where it is none."""
    seconds, position = 0.0, 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            return None
        seconds += float(f"{part[1]}.{part[2] or 0}") * _SECONDS[part[3]]
        position = part.end()
    return timedelta(seconds=seconds) if text and seconds < 1e10 else None


def read_lifetime(reading: Reading, view: View) -> timedelta | None:
    """Read `Lifetime`; None where it is absent."""
    value = view.either("Lifetime")
    if value is None:
        return None
    lifetime = None
    if isinstance(value, str):
        lifetime = parse_duration(value)
    else:
        seconds = unsigned(value, 32)
        lifetime = None if seconds is None else timedelta(seconds=seconds)
    if lifetime is None:
        reading.report.add(
            "certificate.bad-lifetime",
            view.at("Lifetime"),
            "This is neither a number of seconds nor a duration.",
            remedy='Write for example 86400 or "24h".',
        )
    elif not MIN_LIFETIME <= lifetime <= MAX_LIFETIME:
        reading.report.add(
            "certificate.lifetime-out-of-bounds",
            view.at("Lifetime"),
            f"A lifetime has {MIN_LIFETIME.total_seconds():.0f} seconds to {MAX_LIFETIME.days} days.",
            remedy="Shorter ones end before they can be renewed; longer ones take revocation away.",
        )
    return lifetime
