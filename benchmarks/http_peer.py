"""HTTP in memory: what a connection and a request cost beside everything else."""

import asyncio
import time

import h2.connection
from h2.events import DataReceived

from benchmarks.table import Cost
from sealmesh.adapters.http import Request, Response, Silence
from sealmesh.adapters.http.http1 import Http1Connection
from sealmesh.adapters.http.http2 import Http2Connection
from sealmesh.adapters.http.serving import Serving
from sealmesh.adapters.rpc import MESH_LIMITS
from sealmesh.adapters.rpc.connect import Connect
from sealmesh.adapters.rpc.framing import Framing
from sealmesh.adapters.rpc.grpc import Grpc

_ROUNDS = 7
_CALLS = 60
_REQUEST = b"\0" + (5495).to_bytes(4, "big") + b"q" * 5495
_ANSWER = b"a" * 4500
_HEADERS = [
    (":authority", "127.0.0.1:38211"),
    (":method", "POST"),
    (":path", "/rpc.Marble/Activate"),
    (":scheme", "https"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
    ("content-length", str(len(_REQUEST))),
    ("accept-encoding", "gzip"),
    ("user-agent", "Go-http-client/2.0"),
]


class _Wire:
    """A connection that keeps what is written."""

    peer_address = "127.0.0.1"
    protocol = b"h2"

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def peer_chain_der(self) -> tuple[bytes, ...]:
        return ()

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None: ...
    def abort(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class _GrpcClient:
    """What a client sends, made before the clock runs."""

    def __init__(self) -> None:
        self._h2 = h2.connection.H2Connection()
        self._h2.initiate_connection()

    def request(self) -> bytes:
        stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(stream, _HEADERS)
        self._h2.send_data(stream, _REQUEST, end_stream=True)
        return self._h2.data_to_send()

    def take(self, wire: _Wire) -> None:
        for event in self._h2.receive_data(b"".join(wire.written)):
            if isinstance(event, DataReceived):
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        wire.written.clear()


class _ConnectClient:
    """What a client of Connect sends."""

    def request(self) -> bytes:
        head = "\r\n".join(
            [
                "POST /sealmesh.mesh.v1.Enrolment/Activate HTTP/1.1",
                "Host: 127.0.0.1:38211",
                "Content-Type: application/proto",
                "Connect-Protocol-Version: 1",
                f"Content-Length: {len(_REQUEST)}",
                "Accept-Encoding: gzip",
                "User-Agent: Go-http-client/1.1",
            ]
        )
        return f"{head}\r\n\r\n".encode() + _REQUEST

    def take(self, wire: _Wire) -> None:
        wire.written.clear()


class HttpExchange:
    """Measures; each call needs an event loop of its own.

    Args:
        engine: The server's side of a connection.
        client: The other side.
        framing: How the answer stands in it.
    """

    def __init__(
        self,
        engine: type[Http1Connection | Http2Connection],
        client: type[_GrpcClient | _ConnectClient],
        framing: Framing,
    ) -> None:
        self._engine, self._client, self._framing = engine, client, framing

    async def fresh(self) -> Cost:
        """Return the cost of a new connection with one request."""
        serving, figures = self._serving(), []
        for _ in range(_ROUNDS):
            used = 0.0
            for _ in range(_CALLS):
                sent, wire = self._client().request(), _Wire()
                begin = time.thread_time()
                connection = self._engine(wire, serving)
                connection.data_received(sent)
                await _answered(wire)
                connection.connection_lost()
                used += time.thread_time() - begin
            figures.append(used / _CALLS)
        return _cost(figures)

    async def kept(self) -> Cost:
        """Return the cost of one more request on a connection."""
        client, wire, figures = self._client(), _Wire(), []
        connection = self._engine(wire, self._serving())
        for _ in range(_ROUNDS):
            used = 0.0
            for _ in range(_CALLS):
                sent = client.request()
                begin = time.thread_time()
                connection.data_received(sent)
                await _answered(wire)
                used += time.thread_time() - begin
                client.take(wire)
            figures.append(used / _CALLS)
        return _cost(figures)

    def _serving(self) -> Serving:
        async def application(_request: Request) -> Response:
            return self._framing.answer(_ANSWER)

        return Serving(application, MESH_LIMITS, Silence())


async def _answered(wire: _Wire) -> None:
    for _ in range(3):  # the task that answers begins, and ends
        await asyncio.sleep(0)
    assert sum(map(len, wire.written)) > len(_ANSWER), "no answer"


def _cost(figures: list[float]) -> Cost:
    return Cost(quiet=min(figures), middle=sorted(figures)[len(figures) // 2])


GRPC = HttpExchange(Http2Connection, _GrpcClient, Grpc())
CONNECT = HttpExchange(Http1Connection, _ConnectClient, Connect())
