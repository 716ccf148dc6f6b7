"""A real Coordinator process on free ports, and the simplest clients that can talk to it."""

import base64
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import h2.connection
import h2.events
import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from grpclib import Status

from sealmesh.wire.marble_pb2 import ActivationReq, ActivationResp

UUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
STARTED_WITHIN = 30.0


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def wait_until(condition, *, seconds: float = 15.0, what: str = "the condition"):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come about in {seconds} s")


class CoordinatorProcess:
    """Starts, kills and starts again, on one seal directory."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.directory = directory
        self.seal = directory / "seal"
        self.mesh, self.client = free_ports(2)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "EDG_COORDINATOR_MESH_ADDR": f"127.0.0.1:{self.mesh}",
            "EDG_COORDINATOR_CLIENT_ADDR": f"127.0.0.1:{self.client}",
            "EDG_COORDINATOR_SEAL_DIR": str(self.seal),
            "SEALMESH_COMPAT": "marblerun",
            **environment,
        }
        self.process: subprocess.Popen | None = None

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    def spawn(self) -> subprocess.Popen:
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sealmesh.server"],
                env=self.environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.process

    def start(self) -> "CoordinatorProcess":
        process = self.spawn()

        def answers() -> bool:
            assert process.poll() is None, self.log
            try:
                return self.get("/api/v2/status")["status"] == "success"
            except OSError:
                return False

        wait_until(answers, seconds=STARTED_WITHIN, what="an answer of the Coordinator")
        return self

    def exit_code(self) -> int:
        """Start a Coordinator that is expected to end by itself."""
        return self.spawn().wait(STARTED_WITHIN)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def workers(self) -> set[int]:
        assert self.process is not None
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    # -- REST --------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: object = None, identity: Path | None = None):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.client, context=_context(identity), timeout=30
        )
        try:
            sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, path, body=sent)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path: str):
        return self.request("GET", path)[1]

    def set_manifest(self, manifest: dict):
        raw = json.dumps(manifest).encode()
        return self.request("POST", "/api/v2/manifest", {"manifest": base64.b64encode(raw).decode()})

    def state(self) -> int:
        return self.get("/api/v2/status")["data"]["code"]

    # -- gRPC --------------------------------------------------------------------------------

    def activate(self, marble_type: str, uuid: str = UUID) -> ActivationResp:
        certificate, request = marble_identity()
        context = _context(certificate)
        context.set_alpn_protocols(["h2"])
        message = ActivationReq(CSR=request, MarbleType=marble_type, UUID=uuid).SerializeToString()
        with (
            socket.create_connection(("127.0.0.1", self.mesh), 30) as plain,
            context.wrap_socket(plain) as secured,
        ):
            return ActivationResp.FromString(_unary(secured, "/rpc.Marble/Activate", message))


class GrpcRefused(Exception):
    """The status that a call ended with, by its name."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


def _unary(secured: ssl.SSLSocket, path: str, message: bytes) -> bytes:
    """One gRPC call over HTTP/2."""
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    headers = [(":method", "POST"), (":scheme", "https"), (":path", path), (":authority", "test"),
               ("content-type", "application/grpc"), ("te", "trailers")]  # fmt: skip
    connection.send_headers(1, headers)
    connection.send_data(1, b"\0" + len(message).to_bytes(4, "big") + message, end_stream=True)
    secured.sendall(connection.data_to_send())
    body, fields, ended = b"", {}, False
    while not ended:
        received = secured.recv(65536)
        if not received:
            raise ConnectionError("the Coordinator hung up")
        for event in connection.receive_data(received):
            match event:
                case h2.events.ResponseReceived() | h2.events.TrailersReceived():
                    fields |= {_text(name): _text(value) for name, value in event.headers}
                case h2.events.DataReceived():
                    body += event.data
                    connection.acknowledge_received_data(event.flow_controlled_length, 1)
                case h2.events.StreamEnded():
                    ended = True
        secured.sendall(connection.data_to_send())
    status = Status(int(fields["grpc-status"])).name
    if status != "OK":
        raise GrpcRefused(status, fields.get("grpc-message", ""))
    return body[5:]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@lru_cache(maxsize=1)
def marble_identity() -> tuple[Path, bytes]:
    """A self-signed certificate with its key as a PEM file, and a CSR by the same key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = Path(tempfile.mkdtemp(prefix="sealmesh-test-")) / "marble.pem"
    path.write_bytes(certificate + pem)
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return path, request.public_bytes(Encoding.DER)


def _context(identity: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if identity is not None:
        context.load_cert_chain(identity)
    return context


@contextmanager
def coordinator(directory: Path, **environment: str):
    """A Coordinator that is killed at the end, whatever happens."""
    running = CoordinatorProcess(directory, **environment)
    try:
        yield running
    finally:
        running.kill()


def manifest(**marbles: dict) -> dict:
    """The smallest manifest, with these Marbles (or one `baker`)."""
    return {
        "Packages": {"oven": {"SignerID": "c0" * 32, "ProductID": 7, "SecurityVersion": 3}},
        "Marbles": {name: {"Package": "oven", **more} for name, more in (marbles or {"baker": {}}).items()},
    }
