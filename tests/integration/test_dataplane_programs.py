"""Unmodified programs under the wrap: they work, the tap sees TLS only, strangers get nothing."""

import contextlib
import socket
import ssl
from pathlib import Path

import dataplane_mesh as mesh
import dataplane_programs as programs
import pytest

from sealmesh.policy import UNRESTRICTED_MESH, AccessPolicy, PortSet, Rule

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def answer_over(connection: socket.socket) -> bytes:
    """Send one request and return what comes back before the end; a refusal is an empty answer."""
    answer = b""
    connection.settimeout(10)
    with contextlib.suppress(OSError):
        connection.sendall(REQUEST)
        while mesh.CANARY not in answer and (piece := connection.recv(65536)):
            answer += piece
    return answer


@pytest.mark.parametrize("name", programs.SERVERS)
def test_server_answers_its_mesh_and_nobody_else(name: str, tmp_path: Path) -> None:
    world, alien = mesh.MiniMesh(), mesh.MiniMesh()
    port = mesh.free_port()
    policy = AccessPolicy((Rule(from_=frozenset({"buyer"}), to="store", ports=PortSet.of(port)),))
    with (
        mesh.FakeAgent(tmp_path / "agent", world.configuration("store", policy, incoming=(port,))) as agent,
        mesh.Program(tmp_path, agent, programs.SERVERS[name], port) as server,
        mesh.Tap(port) as tap,
    ):
        mesh.wait_for_port(port, server)
        with mesh.tls_connection(world.context(tmp_path, "buyer"), tap.port) as connection:
            assert mesh.CANARY in answer_over(connection)
            assert mesh.CANARY in answer_over(connection), "the connection must stay"
        tap.assert_only_tls()

        with socket.create_connection(("127.0.0.1", port)) as plain:
            assert b"CANARY" not in answer_over(plain)
        strangers = {
            "another type": world.context(tmp_path, "thief"),
            "another mesh": alien.context(tmp_path, "buyer", root_pem=world.root_pem),
            "no certificate": world.context(tmp_path, None, show_certificate=False),
            "a certificate of this CA that names no Marble": world.context(tmp_path, None),
            "a type that the extension contradicts": world.context(tmp_path, "buyer", stated_type=b"thief"),
        }
        for stranger, context in strangers.items():
            try:
                with mesh.tls_connection(context, port) as connection:
                    answer = answer_over(connection)
            except (ssl.SSLError, ConnectionError):
                answer = b""
            assert answer == b"", stranger
        with mesh.tls_connection(world.context(tmp_path, "buyer"), port) as connection:
            assert mesh.CANARY in answer_over(connection), "strangers must not stop the server"
        if "uvloop" not in name:  # there uvloop itself does TLS
            mesh.wait_until(
                lambda: any("'thief' may not call 'store'" in reason for reason in agent.refusals()),
                "the report",
            )


@pytest.mark.parametrize("name", programs.CLIENTS)
def test_client_reaches_its_mesh_behind_tls(name: str, tmp_path: Path) -> None:
    world = mesh.MiniMesh()
    port = mesh.free_port()
    store = world.configuration("store", UNRESTRICTED_MESH, incoming=(port,))
    with (
        mesh.Tap(port) as tap,
        mesh.FakeAgent(tmp_path / "store", store) as store_agent,
        mesh.FakeAgent(
            tmp_path / "buyer",
            world.configuration("buyer", UNRESTRICTED_MESH, outgoing=(("127.0.0.1", tap.port),)),
        ) as buyer_agent,
        mesh.Program(tmp_path, store_agent, programs.HTTP_SERVER, port) as server,
    ):
        mesh.wait_for_port(port, server)
        with mesh.Program(tmp_path, buyer_agent, programs.CLIENTS[name], tap.port) as client:
            assert mesh.CANARY.decode() in client.output()
        tap.assert_only_tls()
