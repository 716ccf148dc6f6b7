"""Arbitrary bytes at the HTTP engines: an answer or a hang-up, never a fault of ours, never memory kept."""

import asyncio

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h11
from hypothesis import given
from hypothesis import strategies as st

from sealmesh.adapters.http import Limits, Request, Response
from sealmesh.adapters.http.http1 import Http1Connection
from sealmesh.adapters.http.http2 import Http2Connection
from sealmesh.adapters.http.serving import Serving

LIMITS = Limits(body_bytes=2000, body_bytes_total=5000, drain_bytes=1000, header_bytes=4096, streams=5)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"


class Wire:
    """A transport that remembers."""

    peer_address = "10.0.0.1"
    protocol = b""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.closed = False
        self.aborted = False

    def peer_chain_der(self) -> tuple[bytes, ...]:
        return ()

    def write(self, data: bytes) -> None:
        if not self.closed:
            self.sent += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Faults:
    def __init__(self) -> None:
        self.faults: list[BaseException] = []

    def fault(self, where: str, error: BaseException) -> None:
        self.faults.append(error)


async def echo(request: Request) -> Response:
    await asyncio.sleep(0)
    return Response(status=200, headers=(("content-type", "x"),), body=request.body, trailers=(("t", "v"),))


def run(engine, pieces: list[bytes]) -> Wire:
    """Feed `pieces` to a new connection, end it, and check that nothing stays."""

    async def play() -> Wire:
        wire, observer = Wire(), Faults()
        serving = Serving(echo, LIMITS, observer)
        connection = engine(wire, serving)
        for piece in pieces:
            if wire.closed:
                break
            connection.data_received(piece)
            await asyncio.sleep(0)
        for _ in range(4):
            await asyncio.sleep(0)
        connection.expired(1e12)
        connection.eof_received()
        connection.connection_lost()
        await asyncio.sleep(0)
        assert observer.faults == []
        assert not wire.aborted
        assert serving.body_bytes == 0
        return wire

    return asyncio.run(play())


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


def _headers(path: bytes) -> bytes:
    literal = b"\0\x05:path" + bytes([len(path)]) + path
    return b"\x83\x87" + literal


FRAMES = st.one_of(
    st.builds(_frame, st.integers(0, 12), st.integers(0, 255), st.integers(0, 9), st.binary(max_size=40)),
    st.builds(
        _frame,
        st.just(1),
        st.sampled_from([4, 5]),
        st.sampled_from([1, 3, 5, 7, 9, 11, 13]),
        st.binary(max_size=20).map(lambda path: _headers(b"/" + path)),
    ),
    st.builds(
        _frame,
        st.just(0),
        st.sampled_from([0, 1]),
        st.sampled_from([1, 3, 5]),
        st.integers(0, 3000).map(bytes),
    ),
    st.builds(_frame, st.just(3), st.just(0), st.sampled_from([1, 3, 5]), st.just(bytes(4))),
    st.builds(
        _frame,
        st.just(8),
        st.just(0),
        st.integers(0, 5),
        st.integers(0, 2**32 - 1).map(lambda n: n.to_bytes(4, "big")),
    ),
    st.binary(max_size=30),
)
LINES = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"POST /x HTTP/1.1\r\n",
        b"HEAD /x?y HTTP/1.0\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"Host: x\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 99999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: h2c\r\n",
        b"\r\n",
        b"hello",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"ffffffffff\r\n",
        b"y" * 3000,
    ]
)


@given(pieces=st.lists(FRAMES, max_size=12))
def test_any_http2_frames_do_no_harm(pieces: list[bytes]) -> None:
    run(Http2Connection, [PREFACE, *pieces])


@given(pieces=st.lists(FRAMES, max_size=12), cut=st.integers(1, 50))
def test_any_http2_frames_in_any_pieces_do_no_harm(pieces: list[bytes], cut: int) -> None:
    stream = PREFACE + b"".join(pieces)
    run(Http2Connection, [stream[at : at + cut] for at in range(0, min(len(stream), 3000), cut)])


@given(pieces=st.lists(LINES | st.binary(max_size=30), max_size=12))
def test_any_http1_lines_do_no_harm(pieces: list[bytes]) -> None:
    run(Http1Connection, pieces)


@given(raw=st.binary(max_size=300))
def test_noise_does_no_harm(raw: bytes) -> None:
    run(Http1Connection, [raw])
    run(Http2Connection, [raw])


@given(bodies=st.lists(st.binary(max_size=1500), min_size=1, max_size=5))
def test_honest_requests_get_their_own_answers(bodies: list[bytes]) -> None:
    client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    client.initiate_connection()
    for number, body in enumerate(bodies):
        head = [(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "x")]
        client.send_headers(2 * number + 1, head)
        client.send_data(2 * number + 1, body, end_stream=True)
    sent = client.data_to_send()
    kept = sum(map(len, bodies))
    wire = run(Http2Connection, [sent])
    answers: dict[int, bytes] = {}
    statuses: list[str] = []
    for event in client.receive_data(bytes(wire.sent)):
        match event:
            case h2.events.DataReceived():
                answers[event.stream_id] = answers.get(event.stream_id, b"") + event.data
            case h2.events.ResponseReceived():
                statuses.append(dict(event.headers)[":status"])
    assert statuses == ["200"] * len(bodies)
    if kept <= LIMITS.body_bytes_total:
        assert answers == {2 * n + 1: body for n, body in enumerate(bodies) if body}


class Narrow(Wire):
    """A transport whose peer reads when it likes: above `high` it says so, as asyncio's transports do."""

    high = 3000

    def __init__(self) -> None:
        super().__init__()
        self.buffered = 0
        self.most = 0
        self.reading = True
        self.connection: Http1Connection | None = None
        self._paused = False

    def write(self, data: bytes) -> None:
        super().write(data)
        self.buffered += len(data)
        self.most = max(self.most, self.buffered)
        if self.buffered > self.high and not self._paused and self.connection is not None:
            self._paused = True
            self.connection.pause_writing()

    def drain(self, size: int) -> None:
        self.buffered = max(0, self.buffered - size)
        if self._paused and self.buffered <= self.high // 4 and self.connection is not None:
            self._paused = False
            self.connection.resume_writing()

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


@given(
    sizes=st.lists(st.sampled_from([0, 1, 700, 4000, 8000]), min_size=1, max_size=12),
    cuts=st.lists(st.integers(1, 400), max_size=20),
    reads=st.lists(st.sampled_from([0, 0, 0, 100, 9000]), max_size=60),
)
def test_pipelined_answers_arrive_in_order_and_never_pile_up(sizes, cuts, reads) -> None:
    async def sized(request: Request) -> Response:
        await asyncio.sleep(0)
        return Response(status=200, body=b"%d" % (int(request.query) % 10) * int(request.query))

    async def play() -> None:
        wire, observer = Narrow(), Faults()
        wire.connection = connection = Http1Connection(wire, Serving(sized, LIMITS, observer))
        data = b"".join(b"GET /?%d HTTP/1.1\r\nHost: x\r\n\r\n" % size for size in sizes)
        pieces = []
        for cut in cuts:
            pieces.append(data[:cut])
            data = data[cut:]
        waiting = [piece for piece in (*pieces, data) if piece]
        quota = iter(reads)
        for _ in range(400):
            if waiting and wire.reading:
                connection.data_received(waiting.pop(0))
            await asyncio.sleep(0)
            wire.drain(next(quota, 5000))
            await asyncio.sleep(0)
        client = h11.Connection(h11.CLIENT)
        client.receive_data(bytes(wire.sent))
        for size in sizes:
            client.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
            client.send(h11.EndOfMessage())
            body = b""
            while not isinstance(event := client.next_event(), h11.EndOfMessage):
                assert isinstance(event, h11.Response | h11.Data), event
                body += bytes(event.data) if isinstance(event, h11.Data) else b""
            assert body == b"%d" % (size % 10) * size
            client.start_next_cycle()
        assert client.next_event() is h11.NEED_DATA
        assert wire.most <= Narrow.high + 8000 + 200, "one answer above the mark, and no more"
        assert not wire.closed
        connection.connection_lost()
        assert observer.faults == []

    asyncio.run(play())
