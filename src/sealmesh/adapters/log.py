"""Log lines: one event and its fields, as JSON or for a terminal, on stderr.

No secret gets into a line: bytes are never written, only their length, and a field whose name says that it
holds a secret is replaced, whoever logged it.

JSON lines are written by the few lines below and not by structlog, because importing that costs more than a
tenth of a Coordinator's start (it brings rich and everything for terminals). For a terminal it is worth that.
"""

import json
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from threading import Lock
from typing import Any, Protocol, TextIO, cast

_SECRET_WORDS = ("secret", "private", "password", "passphrase", "token", "share")
_REDACTED = "[not logged]"
_ENCODER = json.JSONEncoder(sort_keys=True, default=repr)


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


class Logger(Protocol):
    """Writes events with their fields. `exc_info` is an exception whose traceback is written too."""

    def debug(self, event: str, /, **fields: Any) -> Any: ...
    def info(self, event: str, /, **fields: Any) -> Any: ...
    def warning(self, event: str, /, **fields: Any) -> Any: ...
    def error(self, event: str, /, **fields: Any) -> Any: ...


class JsonLogger:
    """One JSON object a line, keys sorted; may be used by several threads.

    Args:
        stream: None means stderr as it is when something is written.
    """

    def __init__(self, level: LogLevel = LogLevel.INFO, *, stream: TextIO | None = None) -> None:
        self._lowest = _NUMBERS[level]
        self._stream = stream
        self._lock = Lock()

    def debug(self, event: str, /, **fields: Any) -> None:
        self._write(LogLevel.DEBUG, event, fields)

    def info(self, event: str, /, **fields: Any) -> None:
        self._write(LogLevel.INFO, event, fields)

    def warning(self, event: str, /, **fields: Any) -> None:
        self._write(LogLevel.WARNING, event, fields)

    def error(self, event: str, /, **fields: Any) -> None:
        self._write(LogLevel.ERROR, event, fields)

    def _write(self, level: LogLevel, event: str, fields: Event) -> None:
        if _NUMBERS[level] < self._lowest:
            return
        error = fields.pop("exc_info", None)
        line = {name: _clean(name, value) for name, value in fields.items()}
        if isinstance(error, BaseException):
            line["exception"] = "".join(traceback.format_exception(error)).rstrip("\n")
        line |= {"event": event, "level": level.value, "time": _now()}
        text = _ENCODER.encode(line) + "\n"
        stream = self._stream or sys.stderr
        with self._lock:
            stream.write(text)
            stream.flush()


_logger: Logger = JsonLogger()


def configure_log(form: LogFormat, level: LogLevel, *, stream: TextIO | None = None) -> None:
    """Set up all loggers of this process; called once, at its start."""
    global _logger
    if form is LogFormat.JSON:
        _logger = JsonLogger(level, stream=stream)
    else:
        _logger = _console_logger(level, sys.stderr if stream is None else stream)


def logger() -> Logger:
    """Return the process's logger: `logger().info("event", field=value)`."""
    return _logger


def without_secrets(_logger: object, _method: str, event: Event) -> Event:
    """Replace what must not be in a log line; one of structlog's processors."""
    return {name: _clean(name, value) for name, value in event.items()}


def _console_logger(level: LogLevel, stream: TextIO) -> Logger:
    import structlog

    made = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            without_secrets,
            structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="time"),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]),
        cache_logger_on_first_use=True,
    )
    return cast("Logger", made)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@lru_cache(maxsize=1024)
def _names_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def _clean(name: str, value: object) -> object:
    if _names_secret(name):
        return _REDACTED
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, dict):
        return {str(key): _clean(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(name, item) for item in value]
    return value
