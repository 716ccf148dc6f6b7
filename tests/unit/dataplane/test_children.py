"""What a child becomes: wrapped, confined, refused."""

import os
import socket
import sys
from pathlib import Path

import pytest

from sealmesh.dataplane.children import Children


def children(told: list[str] | None = None, *, free: bool = False) -> Children:
    report = told.append if told is not None else lambda _: None
    return Children("/inject", "/agent", lambda: free, report)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, b"/inject"),
        ({b"PYTHONPATH": b""}, b"/inject"),
        ({b"PYTHONPATH": b"lib:/inject:other"}, b"/inject:lib:other"),
        ({b"PYTHONPATH": b"/inject"}, b"/inject"),
    ],
)
def test_python_child_loads_the_data_plane_first(given: dict[bytes, bytes], path: bytes) -> None:
    environment = children().environment({**given, b"A": b"a", b"SEALMESH_AGENT": b"/other"})
    assert environment == {b"PYTHONPATH": path, b"SEALMESH_AGENT": b"/agent", b"A": b"a"}


@pytest.mark.parametrize(
    ("executable", "argv", "wrapped"),
    [
        (sys.executable, ["python", "x.py"], True),
        (sys.executable, ["python", "-u", "-m", "x", "-I"], True),
        (sys.executable, ["python", "-I", "x.py"], False),
        (sys.executable, [b"python", b"-E", b"x.py"], False),
        ("/bin/sh", ["sh", "-c", "python x.py"], False),
        ("/usr/bin/pypy3", ["pypy3"], False),
        ("", [], False),
    ],
)
def test_which_child_is_wrapped(executable: str, argv: list[str | bytes], wrapped: bool) -> None:
    assert children().will_be_wrapped(executable, argv) == wrapped


def test_script_is_judged_by_its_first_line(tmp_path: Path) -> None:
    for line, wrapped in (
        ("#!/usr/bin/env python3\n", True),
        (f"#!{sys.executable} -I\n", False),
        ("#!/bin/bash\n", False),
        ("#!/bin/sh\n'''exec' /a/very/long/path/python3 \"$0\" \"$@\"\n", True),
    ):
        (tmp_path / "script").write_text(line)
        assert children().will_be_wrapped(str(tmp_path / "script"), ["script"]) == wrapped, line


def test_confined_child_is_reported_once() -> None:
    told: list[str] = []
    judge = children(told)
    assert judge.confinement("/bin/true", [0]) is judge.confinement("/bin/true", [1])
    judge.confinement("/bin/false", [])
    assert told == ["/bin/true", "/bin/false"]


def test_wire_is_not_inherited_and_a_pipe_is() -> None:
    read, write = os.pipe()
    with socket.socket() as wire, socket.socket(socket.AF_UNIX) as inside:
        judge = children()
        judge.confinement("/bin/true", [read, write, inside.fileno(), 9999])
        with pytest.raises(PermissionError, match=f"must not get the Internet socket {wire.fileno()}"):
            judge.confinement("/bin/true", [read, wire.fileno()])
    os.close(read)
    os.close(write)


def test_child_of_a_free_program_is_left_alone() -> None:
    assert children(free=True).spawn_options("/bin/true", ["true"], {"cwd": "/"}) == {"cwd": "/"}
    assert "preexec_fn" in children().spawn_options("/bin/true", ["true"], {"cwd": "/"})
