"""TLS on both ports, by asyncio's loop and by uvloop: what a peer sees, and what it cannot do."""

import contextlib
import socket
import ssl

import pytest
import transport_world as world
from OpenSSL import SSL

from sealmesh.adapters.tls.context import GROUPS
from sealmesh.wire.methods import OWN_ALPN

PORTS = ("mesh", "client")
H1_STATUS = b"GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
pytestmark = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


@pytest.fixture
def stranger() -> object:
    return world.party("stranger")


def read_all(connection: socket.socket) -> bytes:
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    return answer


def ask(connection: ssl.SSLSocket) -> bool:
    """Ask for the status on a connection that stays open."""
    connection.sendall(H1_STATUS.replace(b"Connection: close\r\n", b""))
    answer = b""
    while not answer.endswith(b"}\n"):
        answer += connection.recv(65536)
    return b" 200 " in answer


def read_until_failure(tls: ssl.SSLObject) -> None:
    while tls.read():
        pass


def openssl_context(groups: bytes | None = None) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    if groups is not None:
        assert SSL._lib.SSL_CTX_set1_curves_list(context._context, groups) == 1
    return context


def openssl_client(
    address: tuple[str, int],
    groups: bytes | None = None,
    context: SSL.Context | None = None,
    session: object = None,
) -> SSL.Connection:
    plain = socket.create_connection(address, timeout=20)
    plain.setblocking(True)
    connection = SSL.Connection(context or openssl_context(groups), plain)
    if session is not None:
        connection.set_session(session)
    connection.set_alpn_protos([b"http/1.1"])
    connection.set_connect_state()
    try:
        connection.do_handshake()
    except SSL.Error:
        plain.close()
        raise
    return connection


# -- what a peer sees ------------------------------------------------------------------------------


@pytest.mark.parametrize("port", PORTS)
def test_a_peer_sees_tls_13_one_certificate_and_no_list_of_authorities(
    port, loop, stranger, tmp_path
) -> None:
    with world.serving(port, loop=loop) as server:
        with world.connect(server.address, world.client_context(stranger, tmp_path)) as connection:
            assert connection.version() == "TLSv1.3"
            assert connection.selected_alpn_protocol() == "h2"
            shown = server.coordinator.mesh if port == "mesh" else server.coordinator.client
            assert connection.getpeercert(binary_form=True) == shown.der
        if port == "client":
            probe = openssl_client(server.address)
            assert probe.get_client_ca_list() == []
            probe.close()


@pytest.mark.parametrize("port", PORTS)
def test_older_tls_is_refused(port, loop, tmp_path) -> None:
    with world.serving(port, loop=loop) as server:
        context = world.client_context(None, tmp_path, version="TLSv1_2")
        with pytest.raises(ssl.SSLError, match="protocol version"):
            world.connect(server.address, context)
        world.eventually(lambda: server.witness.failed_handshakes)


@pytest.mark.parametrize(
    ("groups", "agreed"),
    [
        (b"X25519MLKEM768:X25519:P-256:P-384", "X25519MLKEM768"),
        (b"X25519MLKEM768", "X25519MLKEM768"),
        (b"P-256:P-384", "secp256r1"),
        (b"P-384", "secp384r1"),
        (b"X25519", "x25519"),
    ],
)
def test_the_key_exchange_is_hybrid_where_the_peer_can(loop, groups, agreed) -> None:
    with world.serving("client", loop=loop) as server:
        connection = openssl_client(server.address, groups)
        assert connection.get_group_name().lower() == agreed.lower()
        connection.close()


def test_a_peer_that_offers_only_other_groups_is_refused(loop) -> None:
    assert b"P-521" not in GROUPS
    with world.serving("client", loop=loop) as server, pytest.raises(SSL.Error, match="handshake failure"):
        openssl_client(server.address, b"P-521")


@pytest.mark.parametrize(
    ("port", "offered", "agreed"),
    [
        ("mesh", ("h2",), "h2"),
        ("mesh", ("http/1.1", "h2"), "h2"),
        ("mesh", ("http/1.1", OWN_ALPN), "http/1.1"),
        ("mesh", (), None),
        ("client", ("http/1.1", "h2"), "h2"),
        ("client", ("http/1.1",), "http/1.1"),
        ("client", (), None),
    ],
)
def test_the_application_protocol_is_agreed_on(port, loop, offered, agreed, stranger, tmp_path) -> None:
    with world.serving(port, loop=loop) as server:
        context = world.client_context(stranger, tmp_path, alpn=offered)
        with world.connect(server.address, context) as connection:
            assert connection.selected_alpn_protocol() == agreed


@pytest.mark.parametrize(
    ("port", "offered"), [("mesh", ("http/1.1",)), ("mesh", ("spdy/3", OWN_ALPN)), ("client", ("spdy/3",))]
)
def test_no_application_protocol_in_common_is_an_alert(port, loop, offered, stranger, tmp_path) -> None:
    with world.serving(port, loop=loop) as server:
        context = world.client_context(stranger, tmp_path, alpn=offered)
        with pytest.raises(ssl.SSLError, match="no application protocol"):
            world.connect(server.address, context)
        world.eventually(lambda: server.witness.failed_handshakes)


@pytest.mark.parametrize("offered", [("h2", OWN_ALPN), (OWN_ALPN, "h2")])
def test_a_marble_of_ours_is_shown_the_other_certificate_and_speaks_http_2(
    loop, offered, stranger, tmp_path
) -> None:
    with world.serving("mesh", loop=loop) as server:
        for offers, shown in (
            (offered, server.coordinator.enrolment),
            (("h2",), server.coordinator.mesh),
            ((), server.coordinator.mesh),
        ):
            context = world.client_context(stranger, tmp_path, alpn=offers)
            with world.connect(server.address, context) as connection:
                assert connection.getpeercert(binary_form=True) == shown.der
                assert connection.selected_alpn_protocol() == ("h2" if offers else None)


def test_the_other_certificate_alone_agrees_on_no_protocol(loop, stranger, tmp_path) -> None:
    with world.serving("mesh", loop=loop) as server:
        context = world.client_context(stranger, tmp_path, alpn=(OWN_ALPN,))
        with pytest.raises(ssl.SSLError, match="no application protocol"):
            world.connect(server.address, context)


def test_without_another_certificate_all_are_shown_the_one(loop, stranger, tmp_path) -> None:
    with world.serving("mesh", loop=loop) as server:
        server.coordinator.enrolment = None
        server.coordinator.rotate()
        context = world.client_context(stranger, tmp_path, alpn=("h2", OWN_ALPN))
        with world.connect(server.address, context) as connection:
            assert connection.getpeercert(binary_form=True) == server.coordinator.mesh.der


def test_the_client_port_shows_one_certificate_whatever_is_offered(loop, stranger, tmp_path) -> None:
    with world.serving("client", loop=loop) as server:
        context = world.client_context(stranger, tmp_path, alpn=("h2", OWN_ALPN))
        with world.connect(server.address, context) as connection:
            assert connection.getpeercert(binary_form=True) == server.coordinator.client.der


# -- client certificates -----------------------------------------------------------------------------


def test_any_certificate_is_accepted_and_handed_on(loop, stranger, tmp_path) -> None:
    with world.serving("mesh", loop=loop) as server:
        context = world.client_context(stranger, tmp_path)
        parameters = world.activate(server.address, context, MarbleType="baker")
        assert parameters.Env["CERT"] == stranger.der


def test_the_mesh_port_refuses_a_peer_without_a_certificate_by_an_alert(loop, tmp_path) -> None:
    with world.serving("mesh", loop=loop) as server:
        # the client believes the handshake done when it sends its part; the alert comes with the first read
        with (
            world.connect(server.address, world.client_context(None, tmp_path)) as connection,
            pytest.raises(ssl.SSLError, match="certificate required"),
        ):
            read_all(connection)
        world.eventually(lambda: server.witness.failed_handshakes)
        assert server.coordinator.seen == []


def test_the_client_port_serves_a_peer_without_a_certificate(loop, tmp_path) -> None:
    with world.serving("client", loop=loop) as server:
        context = world.client_context(None, tmp_path, alpn=("http/1.1",))
        with world.connect(server.address, context) as connection:
            connection.sendall(H1_STATUS)
            assert b" 200 " in read_all(connection)


# -- what a peer cannot do -----------------------------------------------------------------------------


def test_a_session_is_never_resumed(loop) -> None:
    with world.serving("client", loop=loop) as server:
        context = openssl_context()
        first = openssl_client(server.address, context=context)
        first.sendall(H1_STATUS)
        with contextlib.suppress(SSL.ZeroReturnError, SSL.SysCallError):
            while True:
                first.recv(65536)
        session = first.get_session()
        first.close()
        second = openssl_client(server.address, context=context, session=session)
        assert not SSL._lib.SSL_session_reused(second._ssl)
        second.close()


def test_renegotiation_is_not_there_to_ask_for(loop) -> None:
    with world.serving("client", loop=loop) as server:
        connection = openssl_client(server.address)
        with pytest.raises(SSL.Error, match="wrong ssl version"):
            connection.renegotiate()
        connection.close()


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\xff\xff" + bytes(70000),
        bytes(300),
        b"\x15\x03\x03\x00\x02\x02\x28",
    ],
    ids=["plain HTTP", "oversize record", "zeros", "an alert"],
)
def test_garbage_instead_of_a_handshake_is_hung_up_on(port, loop, garbage) -> None:
    with world.serving(port, loop=loop) as server:
        with (
            socket.create_connection(server.address, timeout=20) as connection,
            contextlib.suppress(ConnectionError),
        ):
            connection.sendall(garbage)
            read_all(connection)
        world.eventually(lambda: server.listener.handshakes == 0)
        assert len(server.witness.failed_handshakes) == 1


def test_a_broken_record_later_ends_the_connection_with_an_alert(loop, tmp_path) -> None:
    with world.serving("client", loop=loop) as server:
        plain = socket.create_connection(server.address, timeout=20)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = world.client_context(None, tmp_path, alpn=("http/1.1",)).wrap_bio(incoming, outgoing)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
        plain.sendall(outgoing.read())
        tls.write(H1_STATUS)
        record = bytearray(outgoing.read())
        record[-1] ^= 1
        plain.sendall(record)
        incoming.write(read_all(plain))
        with pytest.raises(ssl.SSLError, match="bad record mac"):
            read_until_failure(tls)
        plain.close()
        assert server.coordinator.seen == []
        world.eventually(lambda: server.listener.connections == 0)


# -- slow and half-closed peers --------------------------------------------------------------------------


@pytest.mark.parametrize("port", PORTS)
def test_a_handshake_that_takes_too_long_is_given_up(port, loop) -> None:
    with world.serving(port, loop=loop, limits=world.limits_of(port, handshake_seconds=0.2)) as server:
        with socket.create_connection(server.address, timeout=20) as silent:
            assert silent.recv(1) == b""
        world.eventually(lambda: server.listener.handshakes == 0)
        assert server.witness.evictions == ["the handshake took too long"]


def test_bytes_that_dribble_in_are_served(loop, stranger, tmp_path) -> None:
    with world.serving("client", loop=loop) as server:
        plain = socket.create_connection(server.address, timeout=20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = world.client_context(stranger, tmp_path, alpn=("http/1.1",)).wrap_bio(incoming, outgoing)

        def dribble() -> None:
            for byte in outgoing.read():
                plain.sendall(bytes([byte]))

        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                dribble()
                incoming.write(plain.recv(7))
        tls.write(H1_STATUS)
        dribble()
        answer = b""
        with contextlib.suppress(ssl.SSLZeroReturnError):
            while True:
                try:
                    piece = tls.read(65536)
                    if not piece:
                        break
                    answer += piece
                except ssl.SSLWantReadError:
                    incoming.write(plain.recv(3))
        plain.close()
        assert b" 200 " in answer


def test_a_peer_that_closes_its_half_still_gets_its_answer(loop, tmp_path) -> None:
    with world.serving("client", loop=loop) as server:
        connection = openssl_client(server.address)
        connection.sendall(H1_STATUS.replace(b"Connection: close\r\n", b""))
        connection.shutdown()  # close_notify: nothing more from this side
        answer = b""
        with contextlib.suppress(SSL.ZeroReturnError, SSL.SysCallError):
            while True:
                answer += connection.recv(65536)
        assert b" 200 " in answer
        connection.close()
        world.eventually(lambda: server.listener.connections == 0)


def test_a_peer_that_closes_its_half_of_the_tcp_connection_still_gets_its_answer(loop, tmp_path) -> None:
    coordinator = world.FakeCoordinator()
    coordinator.gate.clear()
    with world.serving("client", loop=loop, coordinator=coordinator) as server:
        connection = openssl_client(server.address)
        connection.sendall(H1_STATUS.replace(b"Connection: close\r\n", b""))
        connection.sock_shutdown(socket.SHUT_WR)
        world.eventually(lambda: coordinator.seen)
        coordinator.gate.set()
        answer = b""
        with contextlib.suppress(SSL.ZeroReturnError, SSL.SysCallError):
            while True:
                answer += connection.recv(65536)
        assert b" 200 " in answer
        connection.close()


# -- rotation -------------------------------------------------------------------------------------------


def test_a_new_certificate_is_shown_to_new_peers_and_no_open_connection_is_dropped(
    loop, stranger, tmp_path
) -> None:
    with world.serving("client", loop=loop) as server:
        context = world.client_context(stranger, tmp_path, alpn=("http/1.1",))
        before = server.coordinator.client.der
        with world.connect(server.address, context) as old:
            assert ask(old)
            server.coordinator.rotate()
            with world.connect(server.address, context) as new:
                assert new.getpeercert(binary_form=True) == server.coordinator.client.der != before
            assert ask(old)
