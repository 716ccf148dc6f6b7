"""What the sieve takes out changes nothing but the work."""

from dataclasses import dataclass, field

import h2.connection
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

from sealmesh.adapters.http.window_sieve import WindowSieve

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 1, 3, 4, 6, 8, 9
LARGEST = 2**31 - 1
FIELDS = [(":method", "POST"), (":path", "/"), (":scheme", "https"), (":authority", "a")]


def frame(kind: int, stream: int, payload: bytes = b"", flags: int = 0) -> bytes:
    head = len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big")
    return head + payload


def update(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, stream, increment.to_bytes(4, "big"))


@dataclass
class Server:
    """A server that answers each request at once, with or without a sieve before it."""

    sieve: WindowSieve | None
    seen: list[tuple[str, object]] = field(default_factory=list)
    looked_at: int = 0

    def __post_init__(self) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self.h2.initiate_connection()
        self.waiting: set[int] = set()
        self.last = 0
        self.sent = b""

    def take(self, data: bytes) -> None:
        if self.sieve is not None:
            data, grown = self.sieve.sift(
                data,
                window=self.h2.outbound_flow_control_window,
                waiting=self.waiting,
                last_stream=self.last,
            )
            self.h2.outbound_flow_control_window += grown
        self.looked_at += len(data)
        try:
            for event in self.h2.receive_data(data) if data else ():
                if not isinstance(event, WindowUpdated):
                    self.seen.append((type(event).__name__, getattr(event, "stream_id", None)))
                if isinstance(event, RequestReceived):
                    self.last = event.stream_id
                    self.waiting.add(event.stream_id)
                elif isinstance(event, StreamReset):
                    self.waiting.discard(event.stream_id)
                elif isinstance(event, StreamEnded):
                    self.h2.send_headers(event.stream_id, [(":status", "200")])
                    self.h2.send_data(event.stream_id, b"x" * 5000, end_stream=True)
                    self.waiting.discard(event.stream_id)
        except ProtocolError as error:
            self.seen.append(("error", type(error).__name__))
        self.sent += self.h2.data_to_send() or b""

    @property
    def outcome(self) -> tuple[object, ...]:
        return self.seen, self.sent, self.h2.outbound_flow_control_window, self.waiting


def request(client: h2.connection.H2Connection, *, whole: bool) -> bytes:
    stream = client.get_next_available_stream_id()
    client.send_headers(stream, FIELDS)
    client.send_data(stream, b"body" * 20, end_stream=whole)
    return client.data_to_send()


@st.composite
def conversations(draw: st.DrawFn) -> list[bytes]:
    client = h2.connection.H2Connection()
    client.initiate_connection()
    parts = [client.data_to_send()]
    increments = st.one_of(st.integers(1, 10_000), st.sampled_from([0, LARGEST, LARGEST - 65_535, 2**31 + 5]))
    for kind in draw(st.lists(st.sampled_from("rrpuuuuuxs"), max_size=14)):
        match kind:
            case "r":
                parts.append(request(client, whole=draw(st.booleans())))
            case "p":
                parts.append(frame(PING, 0, bytes(8)))
            case "u":
                parts.append(update(draw(st.integers(0, 9)), draw(increments)))
            case "x":
                parts.append(frame(RST, draw(st.sampled_from([1, 3, 5])), bytes(4)))
            case "s":
                parts.append(frame(SETTINGS, 0))
    raw = b"".join(parts)
    if draw(st.booleans()):
        return parts
    cuts = sorted(draw(st.sets(st.integers(1, len(raw) - 1), max_size=8)))
    return [raw[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]


@settings(max_examples=400, deadline=None)
@given(conversations())
def test_the_library_comes_to_the_same_without_what_was_taken(chunks: list[bytes]) -> None:
    plain, sieved = Server(None), Server(WindowSieve())
    for chunk in chunks:
        plain.take(chunk)
        sieved.take(chunk)
        assert sieved.seen == plain.seen
        assert sieved.sent == plain.sent
        if any(kind == "error" for kind, _ in plain.seen):
            break  # the connection is over; its window counts no more
        assert sieved.outcome == plain.outcome


def begun() -> tuple[Server, h2.connection.H2Connection]:
    server, client = Server(WindowSieve()), h2.connection.H2Connection()
    client.initiate_connection()
    server.take(client.data_to_send())
    server.take(request(client, whole=True))
    return server, client


def test_updates_of_a_finished_call_do_not_reach_the_library() -> None:
    server, client = begun()
    before, window = server.looked_at, server.h2.outbound_flow_control_window
    server.take(update(0, 5000) + update(1, 5000) + update(0, 7))
    assert server.looked_at == before
    assert server.h2.outbound_flow_control_window == window + 5007
    server.take(request(client, whole=True))
    assert server.seen[-1] == ("StreamEnded", 3)


def test_updates_of_a_stream_that_waits_or_was_not_begun_do() -> None:
    server, client = begun()
    server.take(request(client, whole=False))
    before = server.looked_at
    server.take(update(3, 100))
    assert server.looked_at == before + 13
    assert server.h2.streams[3].outbound_flow_control_window == 65_535 + 100
    server.take(update(5, 100))
    assert server.seen[-1][0] == "error"


@pytest.mark.parametrize("increment", [0, LARGEST, 2**31 + 1])
@pytest.mark.parametrize("stream", [0, 1])
def test_what_is_not_valid_is_the_librarys(stream: int, increment: int) -> None:
    server, _ = begun()
    before = server.looked_at
    server.take(update(stream, increment))
    taken = stream == 1 and increment == LARGEST  # of a stream that is over nobody counts the window
    assert server.looked_at == before + (0 if taken else 13)


def test_nothing_is_taken_out_of_a_header_block() -> None:
    server, client = begun()
    client.send_headers(3, FIELDS)
    whole = client.data_to_send()
    block = whole[9:]
    head = frame(HEADERS, 3, block[:2]) + update(0, 5) + frame(CONTINUATION, 3, block[2:], flags=4)
    server.take(head)
    assert server.seen[-1][0] == "error"


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(PREFACE + update(0, 5) + frame(SETTINGS, 0), id="an update before the settings"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n" + bytes(40), id="another protocol"),
        pytest.param(PREFACE[:10], id="a part of the preface"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_who_does_not_begin_as_he_should_is_left_to_the_library(first: bytes) -> None:
    sieve = WindowSieve()
    assert sieve.sift(first, window=65_535, waiting=(), last_stream=0) == (first, 0)
    rest = update(0, 5)
    assert sieve.sift(rest, window=65_535, waiting=(), last_stream=0) == (rest, 0)


@given(st.binary(max_size=80))
def test_arbitrary_bytes_pass(raw: bytes) -> None:
    sieve = WindowSieve()
    sieve.sift(PREFACE + frame(SETTINGS, 0), window=65_535, waiting=(), last_stream=1)
    left, grown = sieve.sift(raw, window=65_535, waiting=(), last_stream=1)
    assert 0 <= grown <= LARGEST
    assert (len(raw) - len(left)) % 13 == 0
