"""The metrics address: with honest, slow and hostile peers, and with several workers."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import coordinator_process as processes
import psutil
import pytest

from sealmesh.adapters.http import Silence, bind
from sealmesh.adapters.telemetry import TELEMETRY_LIMITS, Telemetry, TelemetryServer
from sealmesh.server.exit_code import ExitCode

MANIFEST = {
    "Packages": {"oven": {"UniqueID": "6b" * 32}},
    "Marbles": {"baker": {"Package": "oven", "Parameters": {}}},
}


# -- the server alone ----------------------------------------------------------------------------------


class Coordinator:
    """Answers at once, or when `gate` is open."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.trouble = None

    def status(self):
        self.gate.wait(30)
        if self.trouble:
            raise self.trouble
        return SimpleNamespace(code=3)


class Ear(Silence):
    def __init__(self):
        self.faults, self.evictions = [], []

    def fault(self, where, error):
        self.faults.append(error)

    def evicted(self, peer_address, reason):
        self.evictions.append(reason)


@contextlib.asynccontextmanager
async def serving(**limits):
    coordinator, ear = Coordinator(), Ear()
    server = TelemetryServer(
        Telemetry(), coordinator, observer=ear, limits=replace(TELEMETRY_LIMITS, **limits)
    )
    sockets = bind("127.0.0.1", 0)
    await server.start(sockets)
    try:
        yield SimpleNamespace(
            port=sockets[0].getsockname()[1], coordinator=coordinator, ear=ear, server=server
        )
    finally:
        coordinator.gate.set()
        await server.stop()


async def ask(port, request=b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()


async def test_metrics_are_served_as_text_0_0_4():
    async with serving() as at:
        answer = await ask(at.port)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"content-type: text/plain; version=0.0.4; charset=utf-8" in answer.lower()
    assert b"\ncoordinator_state 3.0\n" in answer


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET / HTTP/1.1", 404),
        (b"GET /metrics/../secrets HTTP/1.1", 404),
        (b"POST /metrics HTTP/1.1", 405),
        (b"HEAD /metrics HTTP/1.1", 200),
        (b"GET /metrics?x=1 HTTP/1.1", 200),
        (b"GET /events HTTP/1.0", 200),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
    ],
)
async def test_requests_of_every_kind_have_an_answer(line, status):
    async with serving() as at:
        answer = await ask(at.port, line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert at.ear.faults == []
    assert int(answer.split(b" ", 2)[1]) == status


async def test_a_coordinator_that_hangs_does_not_keep_the_counters_back():
    async with serving() as at:
        at.coordinator.gate.clear()
        answers = await asyncio.gather(*(ask(at.port) for _ in range(12)))
        for answer in answers:
            assert b"grpc_server_started_total{" in answer
            assert b"coordinator_state" not in answer
        at.coordinator.gate.set()


async def test_a_coordinator_that_cannot_tell_its_state_is_left_out_and_logged():
    async with serving() as at:
        at.coordinator.trouble = ZeroDivisionError()
        answer = await ask(at.port)
        assert b"grpc_server_started_total{" in answer
        assert b"coordinator_state" not in answer
        assert at.ear.faults == [at.coordinator.trouble]


async def test_silent_peers_make_room_and_are_hung_up_on():
    async with serving(connections=8, request_seconds=0.2) as at:
        silent = [await asyncio.open_connection("127.0.0.1", at.port) for _ in range(40)]
        assert (await ask(at.port)).startswith(b"HTTP/1.1 200 ")
        for reader, writer in silent:
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), 10) == b""
            writer.close()
        assert len(at.ear.evictions) >= 40


async def test_a_peer_that_does_not_read_is_hung_up_on():
    async with serving(response_seconds=0.3) as at:
        for number in range(1000):
            at.server._telemetry._events.add(
                time=processes.datetime.now(processes.UTC),
                marble_type="baker",
                uuid=str(number),
                quote=bytes(6000),
            )
        deaf = socket.socket()
        deaf.setblocking(False)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, ("127.0.0.1", at.port))
        await loop.sock_sendall(deaf, b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        async with asyncio.timeout(15):
            while not at.ear.evictions:
                assert (await ask(at.port)).startswith(b"HTTP/1.1 200 ")
        assert at.ear.evictions[0] == "a request took too long"
        deaf.close()


async def test_large_heads_and_bodies_are_refused():
    async with serving() as at:
        assert (await ask(at.port, b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 20_000)).startswith(b"HTTP/1.1 4")
        head = b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
        with contextlib.suppress(ConnectionResetError):
            await ask(at.port, head + bytes(100_000))
        assert (await ask(at.port)).startswith(b"HTTP/1.1 200 ")
        assert at.ear.faults == []


# -- in a Coordinator ----------------------------------------------------------------------------------


class Measured(processes.CoordinatorProcess):
    def __init__(self, directory, temporary, **environment):
        self.temporary = temporary
        (self.metrics_port,) = processes.free_ports(1)
        super().__init__(
            directory,
            **{
                "EDG_COORDINATOR_PROMETHEUS_ADDR": f"127.0.0.1:{self.metrics_port}",
                "SEALMESH_COMPAT": "marblerun",
                "TMPDIR": str(temporary),
            }
            | environment,
        )

    def plain(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def value(self, sample):
        found = re.search(rf"^{re.escape(sample)} (\S+)$", self.plain("/metrics"), re.MULTILINE)
        return float(found[1]) if found else 0.0

    def sockets(self):
        return {path.name for path in self.temporary.glob("sealmesh-*/*.sock")}


@pytest.fixture
def short_directory():
    """pytest's own are too deep for a UNIX socket."""
    with tempfile.TemporaryDirectory(prefix="t") as name:
        yield Path(name)


@pytest.fixture
def start(tmp_path, short_directory):
    started = []

    def start(**environment):
        coordinator = Measured(tmp_path, short_directory, **environment)
        started.append(coordinator)
        return coordinator.start()

    yield start
    for coordinator in started:
        coordinator.kill()


SUCCESSES = 'coordinator_marble_activations_success_total{type="baker",uuid="*"}'


def test_several_workers_are_counted_as_one(start):
    coordinator = start(SEALMESH_WORKERS="3")
    processes.wait_until(lambda: len(coordinator.sockets()) == 3, what="three workers that talk")
    assert coordinator.set_manifest(MANIFEST)[0] == 200
    for _ in range(24):
        coordinator.activate("baker")
    for _ in range(8):  # whichever worker is asked
        assert coordinator.value(SUCCESSES) == 24
        assert coordinator.value("sealmesh_workers_counted") == 3
        assert coordinator.value("coordinator_state") == 3
        assert len(json.loads(coordinator.plain("/events"))) == 24
    handled = 'grpc_code="OK",grpc_method="Activate",grpc_service="rpc.Marble",grpc_type="unary"'
    assert coordinator.value(f"grpc_server_handled_total{{{handled}}}") == 24


def test_metrics_go_on_without_a_worker_that_died_and_with_its_successor(start):
    coordinator = start(SEALMESH_WORKERS="2")
    processes.wait_until(lambda: len(coordinator.sockets()) == 2, what="two workers that talk")
    victim = min(coordinator.workers())
    os.kill(victim, signal.SIGKILL)

    def succeeded():
        try:
            return coordinator.value("sealmesh_workers_counted") == 2 and victim not in coordinator.workers()
        except OSError:  # the kernel gave the connection to the dead
            return False

    processes.wait_until(succeeded, what="a successor")
    assert f"{victim}.sock" not in coordinator.sockets()
    assert coordinator.value("coordinator_state") == 2


def test_a_worker_that_hangs_is_left_out(start):
    coordinator = start(SEALMESH_WORKERS="2")
    processes.wait_until(lambda: len(coordinator.sockets()) == 2, what="two workers that talk")
    victim = psutil.Process(max(coordinator.workers()))
    victim.suspend()
    try:
        found = processes.wait_until(lambda: _try(coordinator), what="an answer of the other worker")
    finally:
        victim.resume()
    assert found == 1


def _try(coordinator):
    """Ask until the kernel gives the connection to the worker that can answer."""
    connection = http.client.HTTPConnection("127.0.0.1", coordinator.metrics_port, timeout=3)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    except TimeoutError:
        return 0
    finally:
        connection.close()
    return float(re.search(r"^sealmesh_workers_counted (\S+)$", text, re.MULTILINE)[1])


def test_the_workers_meet_in_a_directory_of_their_own_that_goes_with_them(start):
    coordinator = start(SEALMESH_WORKERS="2")
    (place,) = coordinator.temporary.glob("sealmesh-*")
    assert place.stat().st_mode & 0o777 == 0o700
    coordinator.process.terminate()
    assert coordinator.process.wait(20) == ExitCode.OK
    assert list(coordinator.temporary.iterdir()) == []


def test_without_an_address_there_are_no_metrics(start):
    coordinator = start(EDG_COORDINATOR_PROMETHEUS_ADDR="")
    assert coordinator.request("GET", "/metrics")[0] == 405
    with pytest.raises(ConnectionRefusedError):
        coordinator.plain("/metrics")


def test_an_address_that_is_taken_ends_the_start(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        coordinator = processes.CoordinatorProcess(
            tmp_path, EDG_COORDINATOR_PROMETHEUS_ADDR=f"127.0.0.1:{taken.getsockname()[1]}"
        )
        assert coordinator.exit_code() == ExitCode.CONFIGURATION
