"""Floods of legal-looking HTTP/2 frames on one connection, each known from a CVE of some other server.

None may fill the memory or keep honest Marbles out: the server hangs up, stops reading until the peer reads,
or bears it cheaply. All caps are `sealmesh.adapters.http.limits`.
"""

import time

import psutil
import pytest
import transport_world as world

MIB = 1024 * 1024
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
DATA, HEADERS, PRIORITY, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION, UNKNOWN = 0, 1, 2, 4, 6, 8, 9, 0xFA


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def request_head(extra: bytes = b"") -> bytes:
    """The header block of an activation, in HPACK literals."""
    fields = [
        (b":method", b"POST"), (b":scheme", b"https"), (b":path", b"/rpc.Marble/Activate"),
        (b":authority", b"x"), (b"content-type", b"application/grpc"), (b"te", b"trailers"),
    ]  # fmt: skip
    literal = b"".join(
        b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields
    )
    return literal + extra


OPEN = frame(HEADERS, 4, 1, request_head())
#: A field of 3000 bytes put into the table (index 62), then named again and again: one byte each.
BOMB = b"\x40\x01a\x7f" + bytes([(3000 - 127) & 0x7F | 0x80, (3000 - 127) >> 7]) + b"b" * 3000
FLOODS = {
    "pings that nobody reads the answers of (CVE-2019-9512)": (b"", frame(PING, 0, 0, b"12345678") * 500),
    "settings that nobody reads the answers of (CVE-2019-9515)": (b"", frame(SETTINGS, 0, 0) * 500),
    "empty pieces of one body (CVE-2019-9518)": (OPEN, frame(DATA, 0, 1) * 500),
    "one header without an end (CVE-2024-27316)": (
        frame(HEADERS, 0, 1, request_head()),
        frame(CONTINUATION, 0, 1, b"\0\x01x\x01y" * 100),
    ),
    "one header in empty pieces": (frame(HEADERS, 0, 1, request_head()), frame(CONTINUATION, 0, 1) * 500),
    "priorities (CVE-2019-9513)": (b"", frame(PRIORITY, 0, 3, b"\0\0\0\x05\x10") * 500),
    "window updates": (OPEN, frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\x01") * 500),
    "frames of an unknown kind": (b"", frame(UNKNOWN, 0, 0, bytes(100)) * 100),
    "headers with empty names (CVE-2019-9516)": (
        b"", frame(HEADERS, 5, 1, request_head(b"\0\0\0" * 5000)),
    ),
    "a small header that becomes a large one (CVE-2016-6581)": (
        b"", frame(HEADERS, 5, 1, request_head(BOMB + b"\xbe" * 12_000)),
    ),
    "padding alone": (OPEN, frame(DATA, 8, 1, b"\xff" + bytes(255)) * 50),
}  # fmt: skip


@pytest.fixture(scope="module")
def mesh():
    with world.serving("mesh") as server:
        yield server


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return world.client_context(world.party("marble"), tmp_path_factory.mktemp("identity"))


def flooded(connection, pieces: bytes, *, most: int) -> str:
    """Send on and on, and never read; return how it ended."""
    connection.settimeout(1.0)
    sent, until = 0, time.monotonic() + 5
    while sent < most and time.monotonic() < until:
        try:
            connection.sendall(pieces)
        except TimeoutError:
            return "not read"
        except OSError:
            return "hung up"
        sent += len(pieces)
    return "borne"


@pytest.mark.parametrize("attack", FLOODS)
def test_a_flood_fills_no_memory_and_keeps_no_marble_out(mesh, context, attack: str) -> None:
    first, again = FLOODS[attack]
    before = psutil.Process().memory_info().rss
    with world.connect(mesh.address, context) as connection:
        connection.sendall(PREFACE + first)
        outcome = flooded(connection, again, most=2 * MIB)
        assert world.activate(mesh.address, context).Argv, outcome
    grown = psutil.Process().memory_info().rss - before
    assert grown < 40 * MIB, f"{grown // MIB} MiB, and {outcome}"
    world.eventually(lambda: mesh.listener.connections == 0)
    assert mesh.listener._serving.body_bytes == 0


@pytest.mark.parametrize("attack", [name for name in FLOODS if "header" in name])
def test_headers_beyond_the_caps_end_the_connection(mesh, context, attack: str) -> None:
    first, again = FLOODS[attack]
    calls = len(mesh.coordinator.seen)
    with world.connect(mesh.address, context) as connection:
        connection.sendall(PREFACE + first)
        outcome = flooded(connection, again, most=2 * MIB)
        assert outcome == "hung up" or ended(connection), outcome
    assert len(mesh.coordinator.seen) == calls


def ended(connection) -> bool:
    connection.settimeout(10)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True
