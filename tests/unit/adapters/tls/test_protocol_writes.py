"""How often a connection writes to its socket: a system call, and a wake-up of the peer, each time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from sealmesh.adapters.tls import (
    ClientCertificate,
    TlsIdentity,
    TlsProfile,
    TlsServerProtocol,
    build_context,
)


class Wire:
    """A socket that keeps what is written, write by write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed, "written after it was closed"
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, _name: str) -> tuple[str, int]:
        return "192.0.2.1", 1

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Application:
    """Does `act` for all that comes in."""

    def __init__(
        self, connection: TlsServerProtocol, act: Callable[[TlsServerProtocol, bytes], None]
    ) -> None:
        self._connection, self._act = connection, act
        connection.write(b"greeting")

    def data_received(self, data: bytes) -> None:
        self._act(self._connection, data)

    def eof_received(self) -> None:
        self._act(self._connection, b"end")

    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def connection_lost(self) -> None: ...


class Owner:
    def __init__(self, act: Callable[[TlsServerProtocol, bytes], None]) -> None:
        self._act = act
        self.failures: list[str] = []

    def established(self, connection: TlsServerProtocol) -> Application:
        return Application(connection, self._act)

    def accepted(self, connection: TlsServerProtocol) -> None: ...
    def failed(self, connection: TlsServerProtocol, reason: str) -> None:
        self.failures.append(reason)

    def active(self, connection: TlsServerProtocol) -> None: ...
    def lost(self, connection: TlsServerProtocol) -> None: ...


class Peer:
    """A client in memory, connected to a `TlsServerProtocol` on a `Wire`."""

    def __init__(self, act: Callable[[TlsServerProtocol, bytes], None]) -> None:
        self.wire = Wire()
        self.owner = Owner(act)
        self.server = TlsServerProtocol(self.owner)
        made: Any = self.wire
        self.server.connection_made(made)
        self.server.begin(_context())
        self._tls = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        self._tls.set_connect_state()
        self._shake_hands()  # the client's first message
        self.server.data_received(self._tls.bio_read(65536))
        self._shake_hands(self.wire.writes.pop())

    def finish(self, *plain: bytes, then: bytes = b"", close: bool = False) -> None:
        """Send the end of the handshake and `plain` in one piece, and what follows it."""
        for data in plain:
            self._tls.send(data)
        if close:
            self._tls.shutdown()
        self.server.data_received(self._tls.bio_read(1 << 20) + then)

    def received(self) -> bytes:
        """Return what the server said so far."""
        for data in self.wire.writes:
            self._tls.bio_write(data)
        plain = b""
        try:
            while True:
                plain += self._tls.recv(65536)
        except (SSL.WantReadError, SSL.ZeroReturnError):
            return plain

    def _shake_hands(self, data: bytes = b"") -> None:
        if data:
            self._tls.bio_write(data)
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            pass


def _context() -> SSL.Context:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    return build_context(
        TlsIdentity(chain=(certificate,), key=key, generation=1),
        TlsProfile(alpn=(b"h2",), client_certificate=ClientCertificate.OPTIONAL),
    )


def test_all_that_is_said_to_what_came_in_goes_out_in_one_write() -> None:
    peer = Peer(lambda connection, data: (connection.write(data), connection.write(b"!"))[0])

    peer.finish(b"one", b"two")

    assert len(peer.wire.writes) == 1
    assert peer.received() == b"greetingonetwo!"  # and so did what came in


def test_an_answer_that_comes_later_goes_out_at_once() -> None:
    peer = Peer(lambda connection, data: None)
    peer.finish(b"one")

    peer.server.write(b"later")

    assert len(peer.wire.writes) == 2
    assert peer.received() == b"greetinglater"


@pytest.mark.parametrize("pieces", [2, 8])
def test_a_large_answer_is_not_held_back_whole(pieces: int) -> None:
    def answer(connection: TlsServerProtocol, _data: bytes) -> None:
        for _ in range(pieces):
            connection.write(b"x" * 16_384)

    peer = Peer(answer)

    peer.finish(b"one")

    assert len(peer.wire.writes) >= pieces
    assert peer.received() == b"greeting" + b"x" * 16_384 * pieces


def test_what_was_said_before_closing_is_sent_before_closing() -> None:
    def answer_and_close(connection: TlsServerProtocol, data: bytes) -> None:
        connection.write(data)
        connection.close()

    peer = Peer(answer_and_close)

    peer.finish(b"last words")

    assert peer.wire.closed
    assert peer.received() == b"greetinglast words"


def test_what_came_before_a_broken_record_is_delivered_before_the_failure() -> None:
    heard: list[bytes] = []
    peer = Peer(lambda _connection, data: heard.append(data))

    peer.finish(b"one", b"two", then=b"\x17\x03\x03\x00\x20" + bytes(32))

    assert heard == [b"onetwo"]
    assert len(peer.owner.failures) == 1
    assert not peer.server.is_open


def test_what_came_before_the_end_is_delivered_before_the_end() -> None:
    heard: list[bytes] = []
    peer = Peer(lambda _connection, data: heard.append(data))

    peer.finish(b"one", b"two", close=True)

    assert heard == [b"onetwo", b"end"]
    assert peer.owner.failures == []


def test_much_at_once_comes_in_pieces() -> None:
    heard: list[bytes] = []
    peer = Peer(lambda _connection, data: heard.append(data))

    peer.finish(*[b"x" * 16_000] * 20)

    assert b"".join(heard) == b"x" * 320_000
    assert max(map(len, heard)) <= 65_536 + 16_384
