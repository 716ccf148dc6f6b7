"""The lines of the update log, as COMPAT section 10 writes them.

Keys keep their order and their blanks (`new version`), because MarbleRun's command line reads them.
"""

import json
from datetime import UTC, datetime

LogValue = str | int | list[str]


def log_time(now: datetime) -> str:
    """Return `now` as `2006-01-02T15:04:05.000Z`."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"


def log_line(now: datetime, event: str, **fields: LogValue) -> str:
    """Return one line: `time`, the sentence under `update`, then `fields` in order."""
    return json.dumps(
        {"time": log_time(now), "update": event, **fields}, ensure_ascii=False, separators=(",", ":")
    )


def package_line(now: datetime, *, user: str, package: str, version: int) -> str:
    """Return the line of one package's new SecurityVersion."""
    fields: dict[str, LogValue] = {"user": user, "package": package, "new version": version}
    return log_line(now, "SecurityVersion increased", **fields)
