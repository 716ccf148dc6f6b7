"""The agent's side of the line: who is served, what arrives, what garbage does."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sealmesh.dataplane.configuration import Configuration
from sealmesh.marble import agent_server as module
from sealmesh.marble.agent_server import AgentServer
from sealmesh.policy import UNRESTRICTED_MESH

CONFIGURATION = Configuration(
    trust_domain="mesh",
    spiffe_id="spiffe://mesh/marble/shop/1",
    marble_type="shop",
    certificate_chain="chain",
    key="the key",
    marble_root="root",
    incoming=(),
    outgoing=(),
    policy=UNRESTRICTED_MESH,
    not_after=1,
)


class Line:
    """A wrap's line to the agent."""

    def __init__(self, server: AgentServer) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(server.path)
        self.reader = self.sock.makefile("rb")

    def say(self, raw: bytes) -> None:
        self.sock.sendall(raw)

    def hello(self) -> dict[str, Any]:
        self.say(b'{"version": 1, "type": "hello", "pid": 1}\n')
        return self.hear()

    def hear(self) -> dict[str, Any]:
        line = self.reader.readline()
        return json.loads(line) if line else {}

    def ended(self) -> bool:
        try:
            return self.reader.readline() == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.reader.close()
        self.sock.close()


@pytest.fixture
def server() -> Iterator[AgentServer]:
    made = AgentServer(CONFIGURATION)
    made.start()
    yield made
    made.close()


@pytest.fixture
def line(server: AgentServer) -> Iterator[Line]:
    made = Line(server)
    yield made
    made.close()


def test_every_process_gets_the_credentials_and_later_ones(server: AgentServer, line: Line) -> None:
    other = Line(server)
    for one in (line, other):
        said = one.hello()
        assert said["type"] == "credentials"
        assert Configuration.parse(said["credentials"]) == CONFIGURATION
    server.push(replace(CONFIGURATION, key="the next key", generation=1))
    for one in (line, other):
        assert one.hear()["credentials"]["key"] == "the next key"
    late = Line(server)
    assert late.hello()["credentials"]["generation"] == 1
    server.cut(frozenset({"b", "a"}))
    assert late.hear()["spiffe_ids"] == ["a", "b"]
    other.close()
    server.push(replace(CONFIGURATION, generation=2))
    assert line.hear()["type"] == "cut"
    assert line.hear()["credentials"]["generation"] == 2, "one that left must not keep it from the others"
    late.close()


GARBAGE = {
    "no JSON": b"garbage\n",
    "deep JSON": b"[" * 5000 + b"\n",
    "a list": b"[]\n",
    "no version": b"{}\n",
    "another version": b'{"version": 2, "type": "hello"}\n',
    "not UTF-8": b"\xff\xfe\n",
    "half a line": b'{"version": 1, "type": ',
}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_ends_its_own_line_and_nothing_else(garbage: str, server: AgentServer, line: Line) -> None:
    bad = Line(server)
    bad.say(GARBAGE[garbage])
    bad.sock.shutdown(socket.SHUT_WR)
    assert bad.ended(), "it must not have got credentials"
    bad.close()
    assert line.hello()["type"] == "credentials"
    assert not server.ready.is_set()


@pytest.mark.parametrize("kind", ["nonsense", None, 7, ["hello"], {"hello": 1}])
def test_message_of_an_unknown_kind_is_passed_over(kind: object, line: Line) -> None:
    line.say(json.dumps({"version": 1, "type": kind}).encode() + b"\n")
    assert line.hello()["type"] == "credentials"


def test_line_that_never_ends_is_ended(server: AgentServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 1000)
    endless = Line(server)
    endless.say(b" " * 3000)
    assert endless.ended()
    endless.close()


def test_another_user_is_not_served(server: AgentServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "peer_uid", lambda _: os.geteuid() + 1)
    stranger = Line(server)
    assert stranger.ended()
    stranger.close()


def test_report_that_the_data_plane_stands_is_heard(server: AgentServer, line: Line) -> None:
    line.say(b'{"version": 1, "type": "ready", "pid": 1, "spiffe_id": "x", "confined": false}\n')
    assert server.ready.wait(20)


def test_wrap_that_does_not_read_does_not_hold_up_the_others(
    server: AgentServer, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEND_SECONDS", 0.2)
    deaf = Line(server)
    deaf.hello()
    line.hello()
    big = replace(CONFIGURATION, certificate_chain="x" * 2_000_000)
    pushing = threading.Thread(target=lambda: server.push(replace(big, generation=1)))
    pushing.start()
    assert line.hear()["credentials"]["generation"] == 1
    pushing.join(20)
    assert not pushing.is_alive()
    while deaf.reader.read(65536):  # what was on its way, cut short
        pass
    deaf.close()


def test_refusals_are_logged_only_so_often(
    server: AgentServer, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REFUSALS_PER_SECOND", 3)
    server._refusals = module._Rate(3)
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    said: list[str] = []

    class Log:
        def warning(self, event: str, **_: object) -> None:
            said.append(event)

        info = warning

    monkeypatch.setattr(module, "logger", Log)
    for _ in range(50):
        line.say(b'{"version": 1, "type": "refused", "reason": "no rule"}\n')
    line.hello()
    assert said == ["connection refused"] * 3
    monkeypatch.setattr(time, "monotonic", lambda: 101.0)
    line.say(b'{"version": 1, "type": "refused", "reason": "no rule"}\n')
    line.say(b'{"version": 1, "type": "hello"}\n')
    line.hear()
    assert said[3:] == ["connections refused, not logged one by one", "connection refused"]


def test_end_removes_socket_and_directory_and_ends_the_lines() -> None:
    server = AgentServer(CONFIGURATION)
    server.start()
    directory = Path(server.path).parent
    assert directory.stat().st_mode & 0o777 == 0o700
    line = Line(server)
    line.hello()
    server.close()
    assert line.ended()
    assert not directory.exists()
    line.close()
