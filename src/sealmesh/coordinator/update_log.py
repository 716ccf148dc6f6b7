"""The lines of the update log, as COMPAT section 10 writes them.

Keys keep their order and their blanks (`new version`), because MarbleRun's command line reads them.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sealmesh.coordinator import places
from sealmesh.coordinator.state import State

LogValue = str | int | Sequence[str]
_NOTHING: Mapping[str, LogValue] = {}


def log_time(now: datetime) -> str:
    """Return `now` as `2006-01-02T15:04:05.000Z`."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"


def log_line(now: datetime, event: str, fields: Mapping[str, LogValue] = _NOTHING) -> bytes:
    """Return one line: `time`, the sentence under `update`, then `fields` in their order."""
    line = {"time": log_time(now), "update": event, **fields}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()


def next_lines(state: State, lines: Sequence[bytes]) -> dict[str, bytes | None]:
    """Return the records that add `lines` to the log.

    Each is a new record; `absent` of their names keeps two writers from taking the same number.
    """
    first = len(state.shelves.shelf(places.LOG))
    return {places.log_line(first + at): line for at, line in enumerate(lines)}


def absent(records: Mapping[str, bytes | None]) -> dict[str, int]:
    """Return the expectation that none of `records` is there yet."""
    return dict.fromkeys(records, 0)
