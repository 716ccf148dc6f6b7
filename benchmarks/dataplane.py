"""What TLS by the wrap costs a server: against plaintext, and against the program's own `ssl`, in one run.

The server is one process with one of three programs; the load comes from this process, with the same TLS
client for the wrapped server and the one with its own `ssl`. Both ask for a client certificate (P-256).
"""

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import uuid4

import psutil
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

import sealmesh.dataplane
from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.adapters.log import LogFormat, LogLevel, configure_log
from sealmesh.dataplane.configuration import Configuration, IncomingRule
from sealmesh.dataplane.contexts import load_certificate
from sealmesh.marble.agent_server import AgentServer
from sealmesh.marble.credentials import MarbleKey
from sealmesh.pki import issue_authority, issue_leaf, marble_id, new_serial
from sealmesh.policy import UNRESTRICTED_MESH

_INJECT = Path(sealmesh.dataplane.__file__).parent / "inject"
_REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
_BODY = b"x" * 1024
_IDLE_CONNECTIONS = 200

_CONTEXT = """
import ssl, sys
port, pem, root = int(sys.argv[1]), sys.argv[2], sys.argv[3]
BODY = b"x" * 1024
context = None
if pem:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(pem); context.load_verify_locations(root)
    context.verify_mode = ssl.CERT_REQUIRED; context.num_tickets = 0
"""
_STREAMS = (
    _CONTEXT
    + """
import asyncio, %s
async def answer(reader, writer):
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 1024\\r\\n\\r\\n" + BODY)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError): writer.close()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", port, ssl=context, backlog=512)
    await server.serve_forever()
%s.run(main())
"""
)
_UVICORN = (
    _CONTEXT
    + """
import uvicorn
async def app(scope, receive, send):
    if scope["type"] != "http": return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1024")]})
    await send({"type": "http.response.body", "body": BODY})
more = dict(ssl_certfile=pem, ssl_ca_certs=root, ssl_cert_reqs=ssl.CERT_REQUIRED) if pem else {}
uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", loop="asyncio", http="h11", **more)
"""
)
PROGRAMS = {
    "asyncio streams": _STREAMS % ("sys", "asyncio"),
    "uvloop streams": _STREAMS % ("uvloop", "uvloop"),
    "uvicorn, h11, asyncio": _UVICORN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one way of serving costs.

    Attributes:
        request_seconds: Median time of a request on a kept connection.
        requests_per_second: One after the other, by that median: others use the machine too.
        request_cpu: CPU seconds of the server per request on a kept connection.
        connection_cpu: The same per connection, one request included.
        connection_bytes: Resident memory per idle connection.
    """

    request_seconds: float
    requests_per_second: float
    request_cpu: float
    connection_cpu: float
    connection_bytes: float


class _Mesh:
    """Two Marbles of one Marble root, and files for the program with its own `ssl`."""

    def __init__(self, directory: Path) -> None:
        now = datetime.now(UTC)
        self.authority = issue_authority(
            OsKeyFactory(),
            dns_names=("localhost",),
            now=now,
            lifetime=timedelta(days=1),
            entropy=os.urandom,
            simulation=False,
        )
        self.root = self.authority.marble_root_cert.public_bytes(Encoding.PEM).decode()
        self.chain, self.key, self.spiffe_id = self._marble("shop", now)
        self.pem, self.root_file = directory / "shop.pem", directory / "root.pem"
        self.pem.write_text(self.chain + self.key)
        self.root_file.write_text(self.root)
        caller = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        caller.check_hostname = False
        caller.load_verify_locations(cadata=self.root)
        load_certificate(caller, *self._marble("buyer", now)[:2])
        self.caller = caller

    def _marble(self, marble_type: str, now: datetime) -> tuple[str, str, str]:
        key, uuid = MarbleKey.generate(256), uuid4()
        leaf = issue_leaf(
            self.authority,
            public_key=key.private.public_key(),
            uuid=uuid,
            marble_type=marble_type,
            subject=x509.Name([]),
            dns_names=("localhost",),
            ip_addresses=(),
            now=now,
            lifetime=timedelta(hours=1),
            serial=new_serial(os.urandom),
            simulation=False,
        )
        chain = leaf.public_bytes(Encoding.PEM) + self.authority.intermediate_cert.public_bytes(Encoding.PEM)
        return chain.decode(), key.pem, marble_id(self.authority.trust_domain, marble_type, uuid)

    def configuration(self, port: int) -> Configuration:
        """Return what the wrap of the server gets."""
        return Configuration(
            trust_domain=self.authority.trust_domain,
            spiffe_id=self.spiffe_id,
            marble_type="shop",
            certificate_chain=self.chain,
            key=self.key,
            marble_root=self.root,
            incoming=(IncomingRule(port=port),),
            outgoing=(),
            policy=UNRESTRICTED_MESH,
            not_after=int(time.time()) + 3600,
        )


class DataplaneBench:
    """Measures and prints.

    Args:
        directory: For programs and keys.
        requests: Per figure.
    """

    def __init__(self, directory: Path, *, requests: int) -> None:
        directory.mkdir(exist_ok=True)
        configure_log(LogFormat.CONSOLE, LogLevel.ERROR)
        self._directory = directory
        self._requests = requests
        self._mesh = _Mesh(directory)

    def run(self) -> None:
        """Measure every program plain, with its own `ssl`, wrapped."""
        print(
            "\nData plane: server side, 1 kB answers, client certificates; per request on a kept connection,"
        )
        print("per new connection with one request, per idle connection. In brackets: times plaintext.")
        print(f"  {'':36}{'p50 us':>8}{'req/s':>15}{'CPU us/req':>16}{'CPU us/conn':>17}{'kB/conn':>15}")
        for name, source in PROGRAMS.items():
            plain, own, wrapped = (self._cost(source, way) for way in ("plain", "ssl", "wrapped"))
            for way, cost in (("plain", plain), ("own ssl", own), ("wrapped", wrapped)):
                self._print(f"{name}: {way}", cost, plain)
            print(
                f"  {'':36}wrapped against own ssl: "
                f"{wrapped.requests_per_second / own.requests_per_second:.2f} times the requests/s, "
                f"{wrapped.request_cpu / own.request_cpu:.2f} the CPU per request, "
                f"{wrapped.connection_cpu / own.connection_cpu:.2f} per connection"
            )

    def _print(self, name: str, cost: Cost, plain: Cost) -> None:
        print(
            f"  {name:36}{cost.request_seconds * 1e6:8.0f}"
            f"{_ratio(cost.requests_per_second, plain.requests_per_second, 1)}"
            f"{_ratio(cost.request_cpu, plain.request_cpu, 1e6)}"
            f"{_ratio(cost.connection_cpu, plain.connection_cpu, 1e6)}"
            f"{_ratio(cost.connection_bytes, plain.connection_bytes, 1e-3)}",
            flush=True,
        )

    def _cost(self, source: str, way: str) -> Cost:
        with self._server(source, way) as (port, process):
            context = None if way == "plain" else self._mesh.caller
            with _connection(port, context) as connection:
                for _ in range(100):
                    _ask(connection)
                times: list[float] = []
                cpu = _cpu(process)
                for _ in range(self._requests):
                    before = time.perf_counter()
                    _ask(connection)
                    times.append(time.perf_counter() - before)
                request_cpu = (_cpu(process) - cpu) / self._requests
            count = max(50, self._requests // 20)
            cpu = _cpu(process)
            for _ in range(count):
                with _connection(port, context) as connection:
                    _ask(connection)
            connection_cpu = (_cpu(process) - cpu) / count
            return Cost(
                request_seconds=median(times),
                requests_per_second=1 / median(times),
                request_cpu=request_cpu,
                connection_cpu=connection_cpu,
                connection_bytes=_idle(port, context, process),
            )

    @contextlib.contextmanager
    def _server(self, source: str, way: str) -> Iterator[tuple[int, psutil.Process]]:
        script = self._directory / "program.py"
        script.write_text(source)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        files = (str(self._mesh.pem), str(self._mesh.root_file)) if way == "ssl" else ("", "")
        environment = {"PATH": os.environ["PATH"]}
        with contextlib.ExitStack() as stack:
            if way == "wrapped":
                agent = AgentServer(self._mesh.configuration(port))
                stack.callback(agent.close)
                agent.start()
                environment |= {"PYTHONPATH": str(_INJECT), "SEALMESH_AGENT": agent.path}
            process = subprocess.Popen([sys.executable, str(script), str(port), *files], env=environment)
            stack.callback(process.wait)
            stack.callback(process.kill)
            _wait_for(lambda: _listens(port))
            yield port, psutil.Process(process.pid)


@contextlib.contextmanager
def _connection(port: int, context: ssl.SSLContext | None) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), 30) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is None:
            yield plain
            return
        with context.wrap_socket(plain) as wrapped:
            yield wrapped
            with contextlib.suppress(OSError):
                wrapped.unwrap()


def _ask(connection: socket.socket) -> None:
    connection.sendall(_REQUEST)
    received = b""
    while not received.endswith(_BODY):
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("the server hung up")
        received += piece


def _idle(port: int, context: ssl.SSLContext | None, process: psutil.Process) -> float:
    """Return resident bytes per connection that has had one request and stays open."""
    before = process.memory_info().rss
    with contextlib.ExitStack() as stack:
        for _ in range(_IDLE_CONNECTIONS):
            _ask(stack.enter_context(_connection(port, context)))
        grown = process.memory_info().rss - before
        closing = threading.Thread(target=stack.close)
        closing.start()
        closing.join()
    return grown / _IDLE_CONNECTIONS


def _cpu(process: psutil.Process) -> float:
    """Return CPU seconds from the scheduler's own account: nanoseconds, where `times` has 10 ms ticks."""
    total = 0
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def _ratio(value: float, plain: float, scale: float) -> str:
    times = f"({value / plain:.2f})" if plain > 0 else ""
    return f"{value * scale:9.0f} {times:6}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not start")
        time.sleep(0.02)
