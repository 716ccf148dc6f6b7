"""Log lines."""

import io
import json
import subprocess
import sys

import pytest

from sealmesh.adapters import log
from sealmesh.adapters.log import JsonLogger, LogFormat, LogLevel, configure_log, logger


@pytest.fixture
def stream(monkeypatch):
    monkeypatch.setattr(log, "_logger", JsonLogger())
    return io.StringIO()


@pytest.fixture(params=LogFormat)
def written(request, stream):
    configure_log(request.param, LogLevel.INFO, stream=stream)
    return stream


def test_a_line_is_one_json_object_with_sorted_keys(stream):
    configure_log(LogFormat.JSON, LogLevel.INFO, stream=stream)
    logger().warning("two\nlines", port="mesh", b=1, a=("x", None))
    (line,) = stream.getvalue().splitlines()
    found = json.loads(line)
    assert list(found) == ["a", "b", "event", "level", "port", "time"]
    assert found["event"] == "two\nlines"
    assert found["level"] == "warning"
    assert found["time"].endswith("Z")


def test_a_field_cannot_take_the_place_of_event_level_or_time(stream):
    configure_log(LogFormat.JSON, LogLevel.INFO, stream=stream)
    logger().info("mine", level="error", time="never")
    found = json.loads(stream.getvalue())
    assert found["level"] == "info"
    assert found["time"] != "never"


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        (LogLevel.DEBUG, ["debug", "info", "warning", "error"]),
        (LogLevel.WARNING, ["warning", "error"]),
        (LogLevel.ERROR, ["error"]),
    ],
)
@pytest.mark.parametrize("form", LogFormat)
def test_lower_levels_are_not_written(stream, form, level, seen):
    configure_log(form, level, stream=stream)
    for name in ("debug", "info", "warning", "error"):
        getattr(logger(), name)("something", at=name)
    assert [name for name in ("debug", "info", "warning", "error") if name in stream.getvalue()] == seen


def test_secrets_and_bytes_are_not_written(written):
    value = "correct horse battery staple"
    logger().info(
        "something",
        recovery_secret=value,
        nested={"privateKey": value, "list": [{"token": value}]},
        shares=[value],
        raw=value.encode(),
        raws=[bytearray(value.encode()), memoryview(value.encode())],
    )
    assert "horse" not in written.getvalue()
    assert "[28 bytes]" in written.getvalue()


def test_a_fault_is_written_with_its_traceback(written):
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError as error:
        logger().error("fault", exc_info=error)
    assert "Traceback" in written.getvalue()
    assert "by nothing" in written.getvalue()


def test_what_json_cannot_say_is_written_as_python_shows_it(stream):
    configure_log(LogFormat.JSON, LogLevel.INFO, stream=stream)
    logger().info("something", odd={1, 2}, kind=LogLevel)
    found = json.loads(stream.getvalue())
    assert found["odd"] == "{1, 2}"


def test_the_console_format_is_for_people(stream):
    configure_log(LogFormat.CONSOLE, LogLevel.INFO, stream=stream)
    logger().info("worker started", worker=1)
    assert "worker started" in stream.getvalue()
    assert "worker=1" in stream.getvalue()
    assert "{" not in stream.getvalue()


def test_a_coordinator_does_not_load_what_only_terminals_need():
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, sealmesh.server.main; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert {"rich", "structlog", "typer", "pydantic", "prometheus_client"} & set(loaded) == set()
