"""Log lines: one event and its fields, as JSON or for a terminal, on stderr.

No secret gets into a line: bytes are never written, only their length, and a field whose name says that it
holds a secret is replaced, whoever logged it.
"""

import sys
from collections.abc import MutableMapping
from enum import StrEnum
from typing import Any, TextIO

import structlog

_SECRET_WORDS = ("secret", "private", "password", "passphrase", "token", "share")
_REDACTED = "[not logged]"


class LogFormat(StrEnum):
    """How lines look."""

    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The lowest level that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_NUMBERS = {LogLevel.DEBUG: 10, LogLevel.INFO: 20, LogLevel.WARNING: 30, LogLevel.ERROR: 40}
Event = MutableMapping[str, Any]


def configure_log(form: LogFormat, level: LogLevel, *, stream: TextIO | None = None) -> None:
    """Set up all loggers of this process; called once, at its start."""
    stream = sys.stderr if stream is None else stream
    renderer = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if form is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            without_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )


def logger() -> structlog.typing.FilteringBoundLogger:
    """Return the process's logger: `logger().info("event", field=value)`."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return log


def without_secrets(_logger: object, _method: str, event: Event) -> Event:
    """Replace what must not be in a log line."""
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: object) -> object:
    if any(word in name.lower() for word in _SECRET_WORDS):
        return _REDACTED
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, dict):
        return {str(key): _clean(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(name, item) for item in value]
    return value
