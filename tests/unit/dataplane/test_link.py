"""A link at its limits: buffers that fill and empty at once, a program that leaves much behind."""

import datetime
import socket
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sealmesh.dataplane.contexts import JudgingContext, load_certificate
from sealmesh.dataplane.link import Link
from sealmesh.dataplane.pump import Pump

BUFFER = 262144  # of a link, in each direction
ROOMY = 4 << 20
PATIENCE_SECONDS = 20


@pytest.fixture(scope="module")
def context() -> JudgingContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "link")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    made = JudgingContext(ssl.PROTOCOL_TLS_SERVER)
    load_certificate(
        made,
        certificate.public_bytes(Encoding.PEM).decode(),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    )
    made.judge = lambda _peer: None
    made.trust_domain = "mesh-0"
    made.not_after = int(time.time()) + 3600
    return made


class World:
    """A link on the accepting side, moved by a pump of its own, and both its ends."""

    def __init__(self, context: JudgingContext) -> None:
        self.app, inner = socket.socketpair()
        outside, wire = socket.socketpair()
        self.outside = outside
        self.link = Link(
            wire=wire,
            inner=inner,
            context=context,
            server=True,
            family=socket.AF_INET,
            peer=("127.0.0.1", 1),
            name=("127.0.0.1", 2),
            port=2,
        )
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOMY)
        self.pump = Pump(lambda _link: None)
        self.app.settimeout(PATIENCE_SECONDS)
        self.outside.settimeout(PATIENCE_SECONDS)

    def start(self) -> ssl.SSLSocket:
        self.pump.submit(self.link)
        return _client().wrap_socket(self.outside)

    def start_in_memory(self) -> "Peer":
        self.pump.submit(self.link)
        return Peer(self.outside)

    def close(self) -> None:
        self.app.close()
        self.outside.close()
        self.pump.stop()


class Peer:
    """A TLS client that puts all records on the wire in one piece, so that reads do not end where they do."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = _client().wrap_bio(self._incoming, self._outgoing)
        while not self._shaken():
            self._wire.sendall(self._outgoing.read())
            self._incoming.write(self._wire.recv(65536))
        self._wire.sendall(self._outgoing.read())

    def sendall(self, data: bytes) -> None:
        self._tls.write(data)
        self._wire.sendall(self._outgoing.read())

    def _shaken(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True


def _client() -> ssl.SSLContext:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    return client


@pytest.fixture
def world(context):
    made = World(context)
    yield made
    made.close()


def received(connection: socket.socket, wanted: int) -> int:
    got = 0
    while got < wanted and (piece := connection.recv(65536)):
        got += len(piece)
    return got


def test_all_that_a_program_wrote_before_it_closed_arrives(world):
    world.app.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOMY)
    world.app.sendall(bytes(8 * BUFFER))
    world.app.close()
    peer = world.start()
    with peer:
        assert received(peer, 8 * BUFFER + 1) == 8 * BUFFER  # and then a clean end of TLS


def test_a_full_buffer_that_the_program_takes_at_once_is_followed_by_the_rest(world):
    world.link.inner.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    world.outside.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOMY)
    world.start_in_memory().sendall(bytes(BUFFER + 49152))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (len(world.link._to_app) >= BUFFER and world.link._incoming.pending):
        assert time.monotonic() < deadline, "the buffer never filled"
        time.sleep(0.01)
    world.link.inner.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOMY)
    assert received(world.app, BUFFER + 49152) == BUFFER + 49152
