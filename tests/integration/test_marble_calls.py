"""A Marble's calls to the mesh port: what our server answers, and what else may stand at the address."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import transport_world as world
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sealmesh.adapters.rpc.server import MESH_PROFILE
from sealmesh.errors.coordinator import EvidenceRefused, PhaseError
from sealmesh.errors.marble import ActivationRefused, CoordinatorRefused, CoordinatorUnavailable
from sealmesh.marble.config import CoordinatorAddress
from sealmesh.marble.mesh_port import ClientIdentity, call
from sealmesh.marble.mesh_port import connect as connect_module
from sealmesh.wire import methods
from sealmesh.wire.enrolment_pb2 import ActivateRequest, ActivateResponse
from sealmesh.wire.marble_pb2 import ActivationReq, ActivationResp

STRANGER = world.party("stranger")
IDENTITY = ClientIdentity(
    certificate_chain=STRANGER.certificate.public_bytes(Encoding.PEM).decode(),
    key=STRANGER.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
)
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/proto\r\n"


def enrol(port: int):
    return call(
        CoordinatorAddress("127.0.0.1", port), IDENTITY, methods.ENROL, ActivateRequest(), ActivateResponse
    )


def activate(port: int):
    return call(
        CoordinatorAddress("127.0.0.1", port), IDENTITY, methods.ACTIVATE, ActivationReq(), ActivationResp
    )


# -- our own server -------------------------------------------------------------------------------------


def test_an_enrolment_brings_the_answer_and_the_certificate_for_marbles_of_ours() -> None:
    with world.serving("mesh") as mesh:
        answer = enrol(mesh.address[1])
        assert list(answer.reply.certificate_chain) == [b"leaf", b"intermediate"]
        assert answer.server_certificate == mesh.coordinator.enrolment.der
        assert mesh.coordinator.seen[0].client_cert == STRANGER.der


def test_marbleruns_call_brings_the_answer_and_the_marble_root() -> None:
    with world.serving("mesh") as mesh:
        answer = activate(mesh.address[1])
        assert answer.reply.Parameters.Env["CERT"] == STRANGER.der
        assert answer.server_certificate == mesh.coordinator.mesh.der


def test_a_large_answer_arrives_whole() -> None:
    huge = bytes(range(256)) * 16384
    with world.serving("mesh") as mesh:
        reply = replace(mesh.coordinator.enrol(None), parameters=world.Rendered(files={"/f": huge}))
        mesh.coordinator.enrol = lambda _: reply
        assert enrol(mesh.address[1]).reply.files["/f"] == huge


@pytest.mark.parametrize("ask", [enrol, activate])
def test_a_refusal_brings_its_details(ask) -> None:
    mismatch = SimpleNamespace(field="MRENCLAVE", found="aa", wanted="bb")
    with world.serving("mesh") as mesh:
        mesh.coordinator.trouble = EvidenceRefused(
            "refused", found="f", wanted="w", remedy="Sign again.", mismatches=[mismatch]
        )
        with pytest.raises(ActivationRefused) as caught:
            ask(mesh.address[1])
    error = caught.value
    assert error.message == "The Coordinator refused this Marble: refused"
    assert (error.code, error.found, error.wanted, error.remedy) == (
        "evidence-refused",
        "f",
        "w",
        "Sign again.",
    )
    assert [(each.field, each.found, each.wanted) for each in error.mismatches] == [("MRENCLAVE", "aa", "bb")]


@pytest.mark.parametrize("ask", [enrol, activate])
def test_a_coordinator_that_is_not_ready_is_asked_again_later(ask) -> None:
    with world.serving("mesh") as mesh:
        mesh.coordinator.trouble = PhaseError("no manifest")
        with pytest.raises(CoordinatorUnavailable, match="does not admit Marbles now") as caught:
            ask(mesh.address[1])
    assert "no manifest" in str(caught.value.found)


@pytest.mark.parametrize("ask", [enrol, activate])
def test_nobody_there_is_unavailable(ask) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(CoordinatorUnavailable, match="cannot be reached"):
            ask(bound.getsockname()[1])


# -- what else may answer ----------------------------------------------------------------------------------


@contextlib.contextmanager
def standing(tmp_path: Path, behave: Callable[[ssl.SSLSocket], None], alpn=("http/1.1",)) -> Iterator[int]:
    """Serve one connection after the other; `behave` has read the request's head."""
    party = world.party("somebody")
    (tmp_path / "server.pem").write_bytes(party.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    if alpn:
        context.set_alpn_protocols(list(alpn))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = listener.accept()
                raw.settimeout(10)
                with (
                    contextlib.suppress(OSError),
                    raw,
                    context.wrap_socket(raw, server_side=True) as connection,
                ):
                    connection.recv(65536)
                    behave(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def saying(*parts: bytes) -> Callable[[ssl.SSLSocket], None]:
    def behave(connection: ssl.SSLSocket) -> None:
        for part in parts:
            connection.sendall(part)

    return behave


def refusing(text: bytes) -> bytes:
    body = b'{"code":"permission_denied","message":"%s"}' % text
    return (
        b"HTTP/1.1 403 No\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )


@pytest.mark.parametrize("text", [b"no", b"y" * 60_000, b"\\ud800\\n\\u001b[2J"])
def test_a_refusal_of_any_text_is_told_as_one(tmp_path, text) -> None:
    with standing(tmp_path, saying(refusing(text))) as port, pytest.raises(ActivationRefused) as caught:
        enrol(port)
    str(caught.value).encode()


@pytest.mark.parametrize(
    ("said", "found"),
    {
        "a web server": (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "HTTP status 404"),
        "a page": (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1\r\n\r\nx", "text/html"),
        "another API": (
            b"HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP status 400",
        ),
        "a story": (refusing(b"y" * 70_000), "HTTP status 403"),
        "HTTP/2": (b"\0\0\x12\x04\0\0\0\0\0" + bytes(18), ""),
        "no HTTP": (b"220 mail.example ESMTP\r\n\r\n", "220"),
        "a head without end": (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 9000, ""),
        "no message": (OK + b"content-length: 3\r\n\r\n\xff\xff\xff", "arsing"),
        "two lengths": (OK + b"content-length: 3\r\ncontent-length: 4\r\n\r\n123", ""),
    }.values(),
    ids=lambda value: "",
)
def test_what_is_no_coordinator_is_refused(tmp_path, said, found) -> None:
    with standing(tmp_path, saying(said)) as port, pytest.raises(CoordinatorRefused) as caught:
        enrol(port)
    assert caught.value.message.endswith("does not answer as a Coordinator")
    assert found in str(caught.value.found)
    assert "--coordinator-addr" in (caught.value.remedy or "")


def test_an_answer_without_end_is_not_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(connect_module, "MAX_ANSWER_BYTES", 100_000)
    body = b"10000\r\n" + bytes(65536) + b"\r\n"
    endless = saying(OK + b"transfer-encoding: chunked\r\n\r\n", *[body] * 1000)
    with (
        standing(tmp_path, endless) as port,
        pytest.raises(CoordinatorRefused, match="as a Coordinator") as caught,
    ):
        enrol(port)
    assert "more than 100000 bytes" in str(caught.value.found)


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\n", OK + b"content-length: 9\r\n\r\nabc", OK + b"\r\nabc"]
)
def test_a_connection_that_ends_early_is_unavailable(tmp_path, said) -> None:
    with (
        standing(tmp_path, saying(said)) as port,
        pytest.raises(CoordinatorUnavailable, match="cannot be reached"),
    ):
        enrol(port)


def test_a_server_that_drips_is_given_up(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("sealmesh.marble.mesh_port.mesh_call.CALL_SECONDS", 0.5)

    def drip(connection: ssl.SSLSocket) -> None:
        connection.sendall(OK + b"content-length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    with standing(tmp_path, drip) as port:
        begun = time.monotonic()
        with pytest.raises(CoordinatorUnavailable, match="cannot be reached"):
            enrol(port)
        assert time.monotonic() - begun < 4


def test_a_coordinator_of_marblerun_is_not_joined_in_our_way(monkeypatch) -> None:
    only_h2 = replace(MESH_PROFILE, alpn_for_offers={})
    monkeypatch.setattr("sealmesh.adapters.rpc.server.MESH_PROFILE", only_h2)
    with world.serving("mesh") as mesh, pytest.raises(CoordinatorRefused) as caught:
        enrol(mesh.address[1])
    assert "--legacy" in (caught.value.remedy or "")


def test_a_server_without_connect_for_the_method_is_told(tmp_path) -> None:
    body = b'{"code":"unimplemented"}'
    said = (
        b"HTTP/1.1 501 No\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )
    with (
        standing(tmp_path, saying(said)) as port,
        pytest.raises(ActivationRefused, match="does not know this call"),
    ):
        enrol(port)
