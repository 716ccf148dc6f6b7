"""Metrics on an address that others can reach: over mutual TLS, for users of the manifest."""

import http.client
import json
import ssl
from pathlib import Path

import coordinator_process as processes
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


@pytest.fixture(scope="module")
def user() -> Path:
    """A file with a user's certificate and key."""
    processes.marble_identity.cache_clear()
    path, _ = processes.marble_identity()
    processes.marble_identity.cache_clear()
    return path


@pytest.fixture(scope="module")
def coordinator(tmp_path_factory):
    (port,) = processes.free_ports(1)
    running = processes.CoordinatorProcess(
        tmp_path_factory.mktemp("metrics"),
        SEALMESH_METRICS_ADDR=f"0.0.0.0:{port}",
        SEALMESH_COMPAT="insecure-empty-quotes",
        SEALMESH_WORKERS="2",
    )
    running.metrics = port
    try:
        yield running.start()
    finally:
        running.kill()


def scrape(coordinator, identity: Path | None = None, path="/metrics") -> tuple[int, str]:
    context = processes._context(identity)
    connection = http.client.HTTPSConnection("127.0.0.1", coordinator.metrics, context=context, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_before_a_manifest_nobody_is_a_user(coordinator, user):
    assert coordinator.state() == 2
    status, text = scrape(coordinator, user)
    assert status == 401
    assert "coordinator_" not in text


def test_only_users_of_the_manifest_read_metrics_and_events(coordinator, user):
    certificate = x509.load_pem_x509_certificate(user.read_bytes())
    people = {"scraper": {"Certificate": certificate.public_bytes(Encoding.PEM).decode()}}  # no role at all
    assert coordinator.set_manifest(processes.manifest() | {"Users": people})[0] == 200
    status, text = scrape(coordinator, user)
    assert status == 200
    assert "\ncoordinator_version_info{" in text
    assert "\nsealmesh_workers_counted" in text
    assert scrape(coordinator, user, "/events") == (200, "null\n")
    stranger, _ = processes.marble_identity()
    status, text = scrape(coordinator, stranger)
    assert (status, "coordinator_" in text) == (401, False)
    assert scrape(coordinator, stranger, "/events")[0] == 401
    assert scrape(coordinator, stranger, "/anything")[0] == 401


def test_without_a_certificate_there_is_no_connection(coordinator):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        scrape(coordinator)


def test_without_tls_nothing_is_answered(coordinator):
    with processes.socket.create_connection(("127.0.0.1", coordinator.metrics), 30) as plain:
        plain.sendall(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"coordinator_" not in plain.recv(65536)


def test_the_certificate_shown_is_the_client_ports(coordinator, user):
    shown = set()
    for port in (coordinator.metrics, coordinator.client):
        context = processes._context(user)
        with context.wrap_socket(processes.socket.create_connection(("127.0.0.1", port), 30)) as secured:
            shown.add(secured.getpeercert(binary_form=True))
    assert len(shown) == 1
    assert json.loads(coordinator.log.splitlines()[0])  # it is JSON, and it started at all
