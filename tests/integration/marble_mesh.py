"""A real Coordinator process with packages that can join it, for tests of `sealmesh run`."""

import base64
import contextlib
import http.client
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from sealmesh.adapters.attester import SimulatedAttester
from sealmesh.adapters.attester.package import sign
from sealmesh.adapters.clock import system_clock
from sealmesh.cli.own_policy import own_policy
from sealmesh.dataplane.contexts import load_certificate
from sealmesh.marble.config import CoordinatorAddress
from sealmesh.marble.enrolment import Applicant, activate
from sealmesh.marble.membership import Credentials
from sealmesh.marble.program import load_measured
from sealmesh.server.configuration import read_configuration

PATIENCE_SECONDS = 60.0
SEALMESH = (sys.executable, "-m", "sealmesh.cli")


def free_port() -> int:
    """Return a port below those that the kernel gives away: a manifest names it long before it is bound."""
    while True:
        port = random.randrange(15_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def wait_until(holds: Any, what: str, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Mesh:
    """A Coordinator and a simulated platform in one folder.

    Which TEE the Coordinator is in, `attester` says: one of that platform, or any with its place.
    """

    def __init__(self, folder: Path, attester: str = "simulated") -> None:
        self.folder = folder
        self.platform = folder / "platform"
        self.mesh_port, self.client_port = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.attester = attester if ":" in attester else f"{attester}:{self.platform}"
        self.policy = own_policy(read_configuration({"attester": self.attester}, {}))
        (folder / "policy.json").write_text(json.dumps(self.policy))

    @property
    def log(self) -> str:
        return (self.folder / "coordinator.log").read_text()

    def start(self, **env: str) -> None:
        with (self.folder / "coordinator.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *SEALMESH,
                    "coordinator",
                    *("--attester", self.attester),
                    *("--mesh-addr", f"127.0.0.1:{self.mesh_port}"),
                    *("--client-addr", f"127.0.0.1:{self.client_port}"),
                    *("--seal-dir", str(self.folder / "state")),
                ],
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **env},
                stdout=log,
                stderr=log,
            )
        wait_until(lambda: listening(self.client_port) and listening(self.mesh_port), "the Coordinator")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def set_manifest(self, manifest: dict[str, Any]) -> None:
        path = self.folder / "manifest.json"
        path.write_text(json.dumps(manifest))
        done = subprocess.run(
            [
                *SEALMESH,
                *("manifest", "set", str(path), f"127.0.0.1:{self.client_port}"),
                *("--policy", str(self.folder / "policy.json")),
                *("--coordinator-cert", str(self.folder / "chain.pem")),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout

    def acts(self) -> int:
        """How many acts the Coordinator's ledger holds: every admission and renewal is one."""
        nonce = base64.urlsafe_b64encode(os.urandom(32)).decode()
        document = self._get(f"/api/sealmesh/v1/statement?nonce={nonce}")
        return int(document["ledger"]["checkpoint"].splitlines()[1])

    def update_log(self) -> Any:
        return self._get("/api/v2/update-log")["data"]

    def state(self) -> tuple[int, Any]:
        """What a refused Marble must leave as it was."""
        return self.acts(), self.update_log()

    def phase(self) -> int:
        return int(self._get("/api/sealmesh/v1/status")["data"]["code"])

    def _get(self, path: str) -> Any:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.client_port, context=context, timeout=PATIENCE_SECONDS
        )
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def package(
        self,
        name: str,
        source: str,
        *arguments: object,
        exe: str = sys.executable,
        folder: Path | None = None,
        **document: Any,
    ) -> tuple[Path, str]:
        """Write and sign a package whose program is `source`; return its folder and UniqueID."""
        folder = folder or self.folder / name
        folder.mkdir(parents=True)
        (folder / "program").write_text(source)
        whole = {
            "exe": exe,
            "args": ["program", *map(str, arguments)],
            "files": ["program"],
            "key": str(self.folder / "owner.pem"),
            "coordinator": self.policy,
            **document,
        }
        (folder / "sealmesh.json").write_text(json.dumps(whole))
        return folder, sign(folder).unique_id.hex()

    def join(self, folder: Path, marble_type: str) -> Credentials:
        """Join in this process as the package in `folder`: a Marble whose every byte a test controls."""
        program = load_measured(folder, ())
        assert program.package is not None
        assert program.policy is not None
        applicant = Applicant(
            address=CoordinatorAddress("127.0.0.1", self.mesh_port),
            attester=SimulatedAttester(self.platform, program.package),
            marble_type=marble_type,
            uuid=uuid.uuid4(),
            dns_names=("localhost",),
            clock=system_clock,
        )
        return activate(applicant, program.policy).credentials


def peer_context(credentials: Credentials, *, marble_root_pem: str | None = None) -> ssl.SSLContext:
    """Return what a client outside the wrap shows and believes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=marble_root_pem or credentials.marble_root_pem)
    load_certificate(context, credentials.certificate_chain_pem, credentials.key_pem)
    return context


@contextlib.contextmanager
def tls_connection(context: ssl.SSLContext, port: int) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as plain,
        context.wrap_socket(plain) as wrapped,
    ):
        yield wrapped


class Marble:
    """One `sealmesh run` process in a folder."""

    def __init__(
        self,
        mesh: Mesh,
        marble_type: str,
        folder: Path,
        *options: str,
        command: tuple[str, ...] = (),
        stdin: int = subprocess.DEVNULL,
        **env: str,
    ) -> None:
        self.folder = folder
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                [*SEALMESH, "run", *options, *(("--", *command) if command else ())],
                cwd=folder,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(mesh.folder),
                    "EDG_MARBLE_TYPE": marble_type,
                    "EDG_MARBLE_COORDINATOR_ADDR": f"127.0.0.1:{mesh.mesh_port}",
                    "SEALMESH_ATTESTER": f"simulated:{mesh.platform}",
                    **env,
                },
                stdin=stdin,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # and workers that it left behind
        self.process.wait()

    @property
    def output(self) -> str:
        return self.out.read_text()

    @property
    def errors(self) -> str:
        return self.err.read_text()

    def wait_for(self, text: str) -> None:
        def there() -> bool:
            if self.process.poll() is not None and text not in self.output:
                raise AssertionError(f"it ended without {text!r}:\n{self.output}\n{self.errors}")
            return text in self.output

        wait_until(there, f"{text!r} of {self.folder.name}")

    def wait_for_error(self, text: str, count: int = 1) -> None:
        wait_until(lambda: self.errors.count(text) >= count, f"{text!r} in the log of {self.folder.name}")

    def code(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def children(self) -> list[int]:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in path.read_text().split()]
