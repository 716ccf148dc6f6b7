"""Floods from a bounded number of sockets while honest Marbles activate; thousands of idle connections."""

import asyncio
import contextlib
import gc
import multiprocessing
import resource
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import psutil
import pytest
import transport_world as world
from cryptography.hazmat.primitives.asymmetric import ec

MARBLE = world.party("marble")
KIB = 1024

#: One flooder gets a socket that is connected to the mesh port and does its worst with it.
Attack = Callable[[socket.socket], None]


def plain_garbage(connection: socket.socket) -> None:
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
    while connection.recv(65536):
        pass


def silence(connection: socket.socket) -> None:
    connection.recv(1)


def half_a_hello(connection: socket.socket) -> None:
    connection.sendall(client_hello()[:100])
    connection.recv(1)


def drip(connection: socket.socket) -> None:
    for byte in client_hello():
        connection.sendall(bytes([byte]))
        with contextlib.suppress(TimeoutError):
            connection.settimeout(0.2)
            if not connection.recv(1):
                return


def vanish_after_hello(connection: socket.socket) -> None:
    connection.sendall(client_hello())
    connection.recv(65536)


def garbage_after_hello(connection: socket.socket) -> None:
    connection.sendall(client_hello())
    connection.recv(65536)
    connection.sendall(b"\x17\x03\x03\x40\x00" + bytes(16384))
    while connection.recv(65536):
        pass


ATTACKS = [plain_garbage, silence, half_a_hello, drip, vanish_after_hello, garbage_after_hello]


def client_hello() -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


@contextlib.contextmanager
def flood(address: tuple[str, int], attack: Attack, sockets: int) -> Iterator[list[int]]:
    """Keep `sockets` connections busy with `attack`, each replaced as soon as it ends."""
    over = threading.Event()
    begun = [0]

    def keep_on() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError), socket.create_connection(address, timeout=1) as connection:
                begun[0] += 1
                attack(connection)

    threads = [threading.Thread(target=keep_on, daemon=True) for _ in range(sockets)]
    for thread in threads:
        thread.start()
    try:
        yield begun
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


@pytest.mark.parametrize(
    ("attack", "loop"),
    [*((attack, "uvloop") for attack in ATTACKS), (silence, "asyncio"), (plain_garbage, "asyncio")],
)
def test_honest_marbles_activate_during_a_flood(attack, loop, tmp_path) -> None:
    # far fewer handshake slots than flooders, all from one address, and they come back at once
    limits = world.limits_of(
        "mesh", handshakes=16, handshakes_per_peer=8, patience_seconds=0.05, handshake_seconds=2
    )
    context = world.client_context(MARBLE, tmp_path)
    with (
        world.serving("mesh", loop=loop, limits=limits) as server,
        flood(server.address, attack, sockets=24) as begun,
    ):
        world.eventually(lambda: begun[0] >= 24)
        for number in range(8):
            assert world.activate(server.address, context, UUID=str(number)).Argv
        assert server.listener.handshakes <= 8
    assert len(server.coordinator.seen) == 8


def test_established_but_useless_connections_make_room_for_honest_marbles(tmp_path) -> None:
    limits = world.limits_of("mesh", connections=8)
    context = world.client_context(MARBLE, tmp_path)
    with world.serving("mesh", limits=limits) as server, contextlib.ExitStack() as held:
        for _ in range(30):
            held.enter_context(world.connect(server.address, context))
        assert world.activate(server.address, context).Argv
        world.eventually(lambda: server.listener.connections <= 8)


def test_a_connection_that_works_outlives_those_that_do_not(tmp_path) -> None:
    limits = world.limits_of("client", connections=8)
    context = world.client_context(MARBLE, tmp_path, ("http/1.1",))
    ask = b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n"
    with (
        world.serving("client", limits=limits) as server,
        contextlib.ExitStack() as held,
        world.connect(server.address, context) as working,
    ):
        for _ in range(40):
            held.enter_context(world.connect(server.address, context))
            working.sendall(ask)
            answer = b""
            while not answer.endswith(b"}\n"):
                piece = working.recv(65536)
                assert piece, "the working connection was evicted"
                answer += piece


# -- thousands of idle connections ---------------------------------------------------------------------------


def _serve_idle(ready: "multiprocessing.Queue[int]") -> None:
    server = world.Server("mesh", "uvloop", world.FakeCoordinator(), None)
    ready.put(server.address[1])
    threading.Event().wait()


async def _connect_idle(port: int, count: int, context: ssl.SSLContext) -> list[asyncio.StreamWriter]:
    gate = asyncio.Semaphore(32)

    async def one() -> asyncio.StreamWriter:
        async with gate:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            return writer

    return await asyncio.gather(*(one() for _ in range(count)))


def _rise_limit_of_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        pytest.skip(f"this machine allows {hard} open files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


@pytest.mark.parametrize(
    "count", [400, pytest.param(2000, marks=pytest.mark.slow), pytest.param(5000, marks=pytest.mark.slow)]
)
def test_idle_connections_take_little_memory_and_nobody_else_waits(count, tmp_path) -> None:
    _rise_limit_of_files(count + 500)
    context = world.client_context(world.party("idle", ec.SECP256R1()), tmp_path)
    fork = multiprocessing.get_context("spawn")
    ready: multiprocessing.Queue[int] = fork.Queue()
    process = fork.Process(target=_serve_idle, args=(ready,), daemon=True)
    process.start()
    try:
        port = ready.get(timeout=60)
        measured = psutil.Process(process.pid)
        world.activate(("127.0.0.1", port), context)
        before = measured.memory_info().rss

        async def crowd() -> int:
            writers = await _connect_idle(port, count, context)
            try:
                return measured.memory_info().rss
            finally:
                await asyncio.to_thread(world.activate, ("127.0.0.1", port), context)
                for writer in writers:
                    writer.transport.abort()
                await asyncio.sleep(0)

        each = (asyncio.run(crowd()) - before) / count
        print(f"{count} idle connections: {each / KIB:.0f} KiB each")
        assert each < 100 * KIB
    finally:
        process.kill()
        process.join()
        ready.close()
        gc.collect()
