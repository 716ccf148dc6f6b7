"""Unmodified programs in a real mesh: `sealmesh run`, a real Coordinator, a tap on every wire, strangers."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import dataplane_mesh as wire
import dataplane_programs as programs
import marble_mesh as world
import pytest

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

MULTIPROCESSING = """
import multiprocessing, sys
from urllib.request import ProxyHandler, build_opener
def call(port):
    return build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/", timeout=10).read().decode()
if __name__ == "__main__":
    for method in ("spawn", "fork", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            print("got", pool.apply(call, (int(sys.argv[1]),)))
"""
SERVERS = {f"server-{index}": name for index, name in enumerate(programs.SERVERS)}
CLIENTS = {f"client-{index}": name for index, name in enumerate((*programs.CLIENTS, "multiprocessing"))}
CLIENT_SOURCES = {**programs.CLIENTS, "multiprocessing": MULTIPROCESSING}


class Stage:
    """A mesh with a type for every server and client; every connection goes over a tap of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.mesh = world.Mesh(folder)
        stack.callback(self.mesh.kill)
        self.ports = {server: world.free_port() for server in SERVERS}
        target = self.ports["server-0"]
        self.taps = {server: stack.enter_context(wire.Tap(port)) for server, port in self.ports.items()}
        self.taps |= {client: stack.enter_context(wire.Tap(target)) for client in CLIENTS}
        packages = {
            server: self.mesh.package(server, programs.SERVERS[name], self.ports[server])
            for server, name in SERVERS.items()
        }
        packages |= {
            client: self.mesh.package(client, CLIENT_SOURCES[name], self.taps[client].port)
            for client, name in CLIENTS.items()
        }
        packages |= {name: self.mesh.package(name, f"# {name}") for name in ("buyer", "thief", "brief")}
        self.folders = {name: place for name, (place, _) in packages.items()}
        self.mesh.start()
        self.mesh.set_manifest(self._manifest({name: unique_id for name, (_, unique_id) in packages.items()}))
        self.known = {name: self.mesh.join(self.folders[name], name) for name in ("buyer", "thief", "brief")}

    def _manifest(self, ids: dict[str, str]) -> dict:
        marbles: dict[str, dict] = {name: {"Package": name} for name in ids}
        marbles["brief"]["Certificate"] = {"Lifetime": 10}
        tags: dict[str, dict] = {}
        for server, port in self.ports.items():
            tags[server] = {"Incoming": [{"Port": str(port)}]}
        for client in CLIENTS:
            tags[client] = {"Outgoing": [{"Addr": "127.0.0.1", "Port": str(self.taps[client].port)}]}
        for name in tags:
            marbles[name]["TLS"] = [name]
        callers = ["buyer", "brief", *CLIENTS]
        return {
            "Packages": {name: {"UniqueID": unique_id} for name, unique_id in ids.items()},
            "Marbles": marbles,
            "TLS": tags,
            "Access": [
                {"From": callers, "To": server, "Ports": [str(port)]} for server, port in self.ports.items()
            ],
            "Simulation": True,
            "Config": {"FeatureGates": ["Access", "Simulation", "Certificate"]},
        }

    def run(self, name: str):
        return world.Marble(self.mesh, name, self.folders[name])

    def serve(self, name: str, stack: ExitStack):
        marble = stack.enter_context(self.run(name))

        def answers() -> bool:
            assert marble.process.poll() is None, marble.errors
            return bool(world.listening(self.ports[name]))

        world.wait_until(answers, f"the port of {name}")
        return marble


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(tmp_path_factory.mktemp("matrix"), stack)


@pytest.fixture(scope="module")
def other_mesh(tmp_path_factory: pytest.TempPathFactory):
    """Credentials of a Marble of the same type, package and platform kind, in another Coordinator's mesh."""
    mesh = world.Mesh(tmp_path_factory.mktemp("other"))
    folder, unique_id = mesh.package("buyer", "# buyer")
    try:
        mesh.start()
        mesh.set_manifest(
            {
                "Packages": {"buyer": {"UniqueID": unique_id}},
                "Marbles": {"buyer": {"Package": "buyer"}},
                "Simulation": True,
                "Config": {"FeatureGates": ["Simulation"]},
            }
        )
        yield mesh.join(folder, "buyer")
    finally:
        mesh.kill()


pytestmark = pytest.mark.xdist_group("marble-matrix")


def answer_over(connection: socket.socket) -> bytes:
    """Send one request and return what comes back before the end; a refusal is an empty answer."""
    answer = b""
    connection.settimeout(20)
    with suppress(OSError):
        connection.sendall(REQUEST)
        while wire.CANARY not in answer and (piece := connection.recv(65536)):
            answer += piece
    return answer


def answer_to(context: ssl.SSLContext, port: int) -> bytes:
    try:
        with world.tls_connection(context, port) as connection:
            return answer_over(connection)
    except (ssl.SSLError, ConnectionError):
        return b""


@pytest.mark.parametrize("server", SERVERS, ids=SERVERS.get)
def test_server_answers_whom_access_lets_in_and_nobody_else(server: str, stage: Stage, other_mesh) -> None:
    port, root = stage.ports[server], stage.known["buyer"].marble_root_pem
    world.wait_until(lambda: datetime.now(UTC) > stage.known["brief"].not_after, "a certificate to expire")
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nobody.check_hostname = False
    nobody.load_verify_locations(cadata=root)
    #: stranger: what it shows, and what the server's agent logs
    strangers = {
        "a Marble without Access": (
            world.peer_context(stage.known["thief"]),
            f"'thief' may not call '{server}'",
        ),
        "a certificate of another mesh": (
            world.peer_context(other_mesh, marble_root_pem=root),
            "CERTIFICATE_VERIFY_FAILED",
        ),
        "no certificate": (nobody, "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        "an expired certificate": (
            world.peer_context(stage.known["brief"]),
            "CERTIFICATE_VERIFY_FAILED",
        ),
    }
    with ExitStack() as stack:
        marble = stage.serve(server, stack)
        tap = stage.taps[server]
        with world.tls_connection(world.peer_context(stage.known["buyer"]), tap.port) as connection:
            assert wire.CANARY in answer_over(connection)
            assert wire.CANARY in answer_over(connection), "the connection must stay"
            assert connection.version() == "TLSv1.3"
            names = (connection.getpeercert() or {})["subjectAltName"]
            assert any(kind == "URI" and f"/marble/{server}/" in name for kind, name in names)
        tap.assert_only_tls()
        with socket.create_connection(("127.0.0.1", port)) as plain:
            assert answer_over(plain) == b"", "a plaintext client must get nothing"
        for stranger, (context, reason) in strangers.items():
            refusals = marble.errors.count(reason)
            assert answer_to(context, port) == b"", stranger
            marble.wait_for_error(reason, refusals + 1)
        assert wire.CANARY in answer_to(world.peer_context(stage.known["buyer"]), port)
        assert "PRIVATE KEY" not in marble.errors + marble.output


@pytest.fixture(scope="module")
def shop(stage: Stage) -> Iterator[object]:
    with ExitStack() as stack:
        yield stage.serve("server-0", stack)


@pytest.mark.parametrize("client", CLIENTS, ids=CLIENTS.get)
def test_client_reaches_the_server_and_the_wire_sees_only_tls(client: str, stage: Stage, shop) -> None:
    with stage.run(client) as marble:
        assert marble.code() == 0, marble.output + marble.errors
        assert wire.CANARY.decode() in marble.output
        assert "the program's TLS has shown itself" in marble.errors
    stage.taps[client].assert_only_tls()
