"""Moments as Go's `time.Time` shows them. Source: documentation of package `time`, "Layout"."""

import re
from datetime import datetime

from sealmesh.provisioning.gotemplate import Function, Integer, Parameter, StructOf, Value

__all__ = ["moment_value"]

_LAYOUT_RE = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|-07:00|Z07:00|-0700|Z0700|-07|01|02|03|04|05|06|15|PM|pm|_2|1|2|3|4|5"
)
_FORMATS = {
    "January": "%B",
    "Jan": "%b",
    "Monday": "%A",
    "Mon": "%a",
    "01": "%m",
    "02": "%d",
    "03": "%I",
    "04": "%M",
    "05": "%S",
    "06": "%y",
    "15": "%H",
}
#: Every moment here is in UTC.
_ZONES = {"MST": "UTC", "-07:00": "+00:00", "Z07:00": "Z", "-0700": "+0000", "Z0700": "Z", "-07": "+00"}


def moment_value(moment: datetime) -> Value:
    """Return a moment in UTC, with the methods `Unix`, `Year`, `Format` and `String`."""
    text = _formatted(moment, "2006-01-02 15:04:05 -0700 MST").encode()
    return StructOf(
        {},
        "time.Time",
        text,
        {
            "String": Function(lambda: text),
            "Unix": Function(lambda: Integer(_unix(moment), "int64")),
            "Year": Function(lambda: moment.year),
            "Format": Function(lambda layout: _layout(moment, layout), (Parameter.STRING,)),
        },
    )


def _layout(moment: datetime, layout: Value) -> Value:
    text = layout.decode("utf-8", "surrogateescape") if isinstance(layout, bytes) else ""
    return _formatted(moment, text).encode("utf-8", "surrogateescape")


def _unix(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=moment.tzinfo)).total_seconds())


def _formatted(moment: datetime, layout: str) -> str:
    return _LAYOUT_RE.sub(lambda found: _piece(moment, found[0]), layout)


def _piece(moment: datetime, mark: str) -> str:
    if mark in _FORMATS:
        return moment.strftime(_FORMATS[mark])
    if mark in _ZONES:
        return _ZONES[mark]
    return {
        "2006": f"{moment.year:04d}",
        "PM": "AM" if moment.hour < 12 else "PM",
        "pm": "am" if moment.hour < 12 else "pm",
        "_2": f"{moment.day:2d}",
        "1": str(moment.month),
        "2": str(moment.day),
        "3": str((moment.hour + 11) % 12 + 1),
        "4": str(moment.minute),
        "5": str(moment.second),
    }[mark]
