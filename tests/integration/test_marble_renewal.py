"""Certificates of ten seconds: renewed under open connections, over a restarted Coordinator, expired."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import dataplane_programs as programs
import marble_mesh as world
import marble_programs as programs_of_marbles
import pytest

CANARY = b"CANARY-secret-0123456789"
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#: X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h): a caller that does not look at dates.
NO_CHECK_TIME = 0x200000


class Stage:
    def __init__(self, folder: Path) -> None:
        self.mesh = world.Mesh(folder)
        self.port = world.free_port()
        server, server_id = self.mesh.package("server", programs.HTTP_SERVER, self.port)
        buyer, buyer_id = self.mesh.package("buyer", "# buyer")
        files = {"tls": "own", "credentials": "given/tls", "reload": "SIGUSR1"}
        self.own, own_id = self.mesh.package("own", programs_of_marbles.RELOADER, dataplane=files)
        self.server = server
        self.mesh.start()
        self.mesh.set_manifest(
            {
                "Packages": {
                    "server": {"UniqueID": server_id},
                    "buyer": {"UniqueID": buyer_id},
                    "own": {"UniqueID": own_id},
                },
                "Marbles": {
                    "server": {
                        "Package": "server",
                        "TLS": ["web"],
                        "Certificate": {"Lifetime": 10},
                        "MaxActivations": 2,
                    },
                    "buyer": {"Package": "buyer"},
                    "own": {"Package": "own", "Certificate": {"Lifetime": 10}},
                },
                "TLS": {"web": {"Incoming": [{"Port": str(self.port)}]}},
                "Access": [{"From": ["buyer"], "To": "server", "Ports": ["*"]}],
                "Simulation": True,
                "Config": {"FeatureGates": ["Access", "Simulation", "Certificate"]},
            }
        )
        self.context = world.peer_context(self.mesh.join(buyer, "buyer"))
        self.careless = world.peer_context(self.mesh.join(buyer, "buyer"))
        self.careless.verify_flags |= NO_CHECK_TIME


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("renewal"))
    try:
        yield made
    finally:
        made.mesh.kill()


pytestmark = pytest.mark.xdist_group("marble-renewal")


def answers(connection: ssl.SSLSocket) -> bool:
    try:
        connection.sendall(REQUEST)
        got = b""
        while CANARY not in got and (piece := connection.recv(9999)):
            got += piece
    except OSError:
        return False
    return CANARY in got


def serial(connection: ssl.SSLSocket) -> object:
    return (connection.getpeercert() or {})["serialNumber"]


def shown_serial(context: ssl.SSLContext, port: int) -> object:
    with world.tls_connection(context, port) as connection:
        assert answers(connection)
        return serial(connection)


def test_connection_outlives_renewals_a_restarted_coordinator_and_an_expired_certificate(
    stage: Stage,
) -> None:
    """One server, one open connection, in the order of a bad night."""
    mesh, port = stage.mesh, stage.port
    with world.Marble(mesh, "server", stage.server) as marble:
        world.wait_until(lambda: world.listening(port), "the port")
        with world.tls_connection(stage.context, port) as old:
            assert answers(old)
            first = serial(old)

            # 1. renewed twice, in between by a Coordinator that was killed and came back
            marble.wait_for_error("certificate renewed")
            second = shown_serial(stage.context, port)
            assert second != first
            mesh.kill()
            marble.wait_for_error("could not be renewed yet")
            assert shown_serial(stage.context, port) == second, "it serves on while its certificate is good"
            mesh.start()
            marble.wait_for_error("certificate renewed", 2)
            assert shown_serial(stage.context, port) not in (first, second)
            assert answers(old), "the first connection must have outlived both"

            # 2. expired, with no Coordinator to renew it: closed for everybody, and said so
            acts = mesh.acts()
            mesh.kill()
            marble.wait_for_error("the certificate has expired and could not be renewed: no new connections")
            assert "marble.coordinator-unavailable" in marble.errors
            with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
                shown_serial(stage.context, port)
            with world.tls_connection(stage.careless, port) as refused:
                assert not answers(refused), "not even to a caller that does not look at dates"
            marble.wait_for_error("own certificate expired at")
            assert answers(old), "who was let in stays"
            assert marble.process.poll() is None

            # 3. the Coordinator is back: the Marble joins again, as the same one
            mesh.start()
            marble.wait_for_error("certificate renewed", 3)
            world.wait_until(lambda: _admitted(stage), "a connection with the new certificate")
            assert answers(old)
            assert mesh.acts() > acts
            uuids = {
                line.split("uuid=")[1].split()[0] for line in marble.errors.splitlines() if "uuid=" in line
            }
            assert len(uuids) == 1
        assert "PRIVATE KEY" not in marble.errors


def _admitted(stage: Stage) -> bool:
    try:
        shown_serial(stage.context, stage.port)
    except (ssl.SSLError, AssertionError):
        return False
    return True


def test_program_with_its_own_tls_is_told_of_its_new_certificate(stage: Stage) -> None:
    if stage.mesh.process is None:
        stage.mesh.start()
    with world.Marble(stage.mesh, "own", stage.own) as marble:
        marble.wait_for("loaded 1")
        marble.wait_for("loaded 2")
        first, second = (line.split()[2] for line in marble.output.splitlines()[:2])
        assert first != second, "it must have been another certificate"
    folder = marble.folder / "given/tls"
    assert sorted(path.name for path in folder.iterdir()) == ["identity.pem", "root.pem"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
