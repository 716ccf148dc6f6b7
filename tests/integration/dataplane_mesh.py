"""A mesh small enough for tests of the data plane: a CA, a fake agent, a tap, programs under the wrap."""

import contextlib
import datetime
import ipaddress
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import sealmesh.dataplane
from sealmesh.dataplane.configuration import Configuration, IncomingRule, Options, OutgoingRule

INJECT = Path(sealmesh.dataplane.__file__).parent / "inject"
CANARY = b"CANARY-secret-0123456789"
PATIENCE_SECONDS = 20.0


def wait_until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Poll until `holds`, or fail naming `what`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def free_port() -> int:
    """Return a port below those that the kernel gives away: a manifest names it long before it is bound."""
    while True:
        port = random.randrange(15_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class MiniMesh:
    """One Marble root and what it issues."""

    def __init__(self, domain: str = "mesh-0123456789abcdef0123456789abcdef") -> None:
        self.domain = domain
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Coordinator - Intermediate CA")])
        self.root = self._builder(self.name, self.key.public_key(), ca=True).sign(self.key, hashes.SHA256())
        self.root_pem = self.root.public_bytes(Encoding.PEM).decode()

    def _builder(self, subject: x509.Name, key: Any, *, ca: bool) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )

    def spiffe_id(self, marble_type: str, identity: str) -> str:
        return f"spiffe://{self.domain}/marble/{marble_type}/{identity}"

    def issue(
        self,
        marble_type: str | None,
        *,
        uri: str | None = None,
        stated_type: bytes | None = None,
        names: tuple[str, ...] = ("localhost",),
    ) -> tuple[str, str, str]:
        """Return certificate, key (PEM) and SPIFFE ID; None as type: a certificate that names no Marble."""
        identity = str(uuid.uuid4())
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity)])
        sans: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        sans.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        spiffe_id = uri or (self.spiffe_id(marble_type, identity) if marble_type is not None else "")
        if spiffe_id:
            sans.append(x509.UniformResourceIdentifier(spiffe_id))
        builder = self._builder(subject, key.public_key(), ca=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        stated = stated_type if stated_type is not None else (marble_type or "").encode()
        if stated:
            oid = x509.ObjectIdentifier("1.3.9903.2.1")
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, stated), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return certificate, private, spiffe_id

    def configuration(
        self,
        marble_type: str,
        policy: Any,
        *,
        incoming: tuple[IncomingRule | int, ...] = (),
        outgoing: tuple[tuple[str, int], ...] = (),
        options: Options | None = None,
    ) -> Configuration:
        certificate, key, spiffe_id = self.issue(marble_type)
        return Configuration(
            trust_domain=self.domain,
            spiffe_id=spiffe_id,
            marble_type=marble_type,
            certificate_chain=certificate,
            key=key,
            marble_root=self.root_pem,
            incoming=tuple(IncomingRule(port=rule) if isinstance(rule, int) else rule for rule in incoming),
            outgoing=tuple(OutgoingRule(host=host, port=port) for host, port in outgoing),
            policy=policy,
            options=options or Options(),
            not_after=int(time.time()) + 3600,
        )

    def renewed(self, configuration: Configuration) -> Configuration:
        """Return the same Marble with a new key and certificate."""
        certificate, key, _ = self.issue(configuration.marble_type, uri=configuration.spiffe_id)
        return replace(
            configuration, certificate_chain=certificate, key=key, generation=configuration.generation + 1
        )

    def context(
        self,
        directory: Path,
        marble_type: str | None,
        *,
        server: bool = False,
        root_pem: str | None = None,
        show_certificate: bool = True,
        **issue: Any,
    ) -> ssl.SSLContext:
        """Return what a peer outside the wrap uses: Python's `ssl` on PEM files, as a MarbleRun Marble."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=root_pem or self.root_pem)
        if show_certificate:
            certificate, key, _ = self.issue(marble_type, **issue)
            path = directory / f"{uuid.uuid4()}.pem"
            path.write_text(certificate + key)
            context.load_cert_chain(path)
        return context


class FakeAgent:
    """Serves credentials as the Marble's agent does and keeps what it is told."""

    def __init__(self, directory: Path, configuration: Configuration) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self.path = str(directory / "agent")
        self.configuration = configuration
        self.heard: list[dict[str, Any]] = []
        self._lines: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with line.makefile("rb") as reader, contextlib.suppress(OSError, ValueError):
            for raw in reader:
                message = json.loads(raw)
                self.heard.append(message)
                if message["type"] == "hello":
                    self._say(line, self._credentials())
                    self._lines.append(line)

    def _credentials(self) -> dict[str, Any]:
        return {"type": "credentials", "credentials": self.configuration.to_document()}

    @staticmethod
    def _say(line: socket.socket, message: dict[str, Any]) -> None:
        line.sendall(json.dumps({"version": 1, **message}).encode() + b"\n")

    def push(self, configuration: Configuration) -> None:
        self.configuration = configuration
        for line in self._lines:
            self._say(line, self._credentials())

    def cut(self, *spiffe_ids: str) -> None:
        for line in self._lines:
            self._say(line, {"type": "cut", "spiffe_ids": list(spiffe_ids)})

    def refusals(self) -> list[str]:
        return [message["reason"] for message in self.heard if message["type"] == "refused"]


class Tap:
    """A TCP forwarder that keeps every byte it sees."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.seen = bytearray()
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            threading.Thread(target=self._both_ways, args=(near, far), daemon=True).start()

    def _both_ways(self, near: socket.socket, far: socket.socket) -> None:
        with near, far:
            back = threading.Thread(target=self._forward, args=(far, near), daemon=True)
            back.start()
            self._forward(near, far)
            back.join()

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while piece := one.recv(65536):
                self.seen += piece
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (one, other):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def assert_only_tls(self) -> None:
        """Assert that bytes passed, that they are TLS, and that the canary was not among them."""
        assert len(self.seen) > 500
        assert b"\x16\x03" in self.seen[:8]
        assert CANARY not in self.seen


def environment(agent: FakeAgent | None, **more: str) -> dict[str, str]:
    kept = {name: value for name in ("PATH", "HOME", "LANG") if (value := os.environ.get(name))}
    if agent is not None:
        kept |= {"PYTHONPATH": str(INJECT), "SEALMESH_AGENT": agent.path}
    return kept | more


class Program:
    """An unmodified program in its own process."""

    def __init__(
        self,
        directory: Path,
        agent: FakeAgent | None,
        source: str,
        *arguments: object,
        python: str = sys.executable,
        flags: tuple[str, ...] = (),
        **env: str,
    ) -> None:
        script = directory / f"program-{uuid.uuid4()}.py"
        script.write_text(source)
        self.error_path = script.with_suffix(".err")
        with self.error_path.open("wb") as errors:
            self.process = subprocess.Popen(
                [python, *flags, str(script), *map(str, arguments)],
                env=environment(agent, **env),
                cwd=directory,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # and workers that it left behind
        self.process.communicate()

    @property
    def errors(self) -> str:
        return self.error_path.read_text(errors="replace")

    def wait_for_line(self, text: str = "ready") -> str:
        """Return the first line of output that has `text`."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline().decode():
            if text in line:
                return line
        raise AssertionError(f"the program ended without {text!r}:\n{self.errors}")

    def output(self) -> str:
        """Wait for the end and return the output; the program must succeed."""
        out, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert self.process.returncode == 0, self.errors
        return out.decode()


def wait_for_port(port: int, program: Program) -> None:
    """Wait until somebody listens on `port`."""

    def answers() -> bool:
        assert program.process.poll() is None, program.errors
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    wait_until(answers, f"port {port} open")


@contextlib.contextmanager
def tls_connection(context: ssl.SSLContext, port: int) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as wrapped,
    ):
        yield wrapped
