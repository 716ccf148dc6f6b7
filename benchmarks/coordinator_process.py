"""A real Coordinator process to measure: started from the command line, watched from outside."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import psutil

from benchmarks.load.generator import on_cpus

#: The CPUs of the Coordinator and those of its callers; empty for any.
CpuShares: TypeAlias = tuple[Collection[int], Collection[int]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the Coordinator's processes used so far.

    Attributes:
        cpu_seconds: By process.
    """

    cpu_seconds: dict[int, float]
    rss_bytes: int

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes."""
        return sum(self.cpu_seconds.values())

    def busiest_since(self, before: "Usage") -> float:
        """Return the CPU seconds of the process that used most since `before`."""
        return max(used - before.cpu_seconds.get(pid, 0.0) for pid, used in self.cpu_seconds.items())


class CoordinatorProcess:
    """One Coordinator (and its workers) on free ports."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        client: int,
        mesh: int,
        seal_dir: Path,
        *,
        cpus_for_others: Collection[int] = (),
    ) -> None:
        self._process = process
        self.client, self.mesh, self.seal_dir = client, mesh, seal_dir
        self.cpus_for_others = cpus_for_others

    @property
    def mesh_address(self) -> str:
        """Where the mesh port listens."""
        return f"127.0.0.1:{self.mesh}"

    def request(self, method: str, path: str, body: bytes | None = None) -> dict[str, object]:
        """Send one REST request and return the answer's document."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.client, context=_context(), timeout=120)
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse().read()
        finally:
            connection.close()
        document = json.loads(answer)
        if document["status"] != "success":
            sys.exit(f"{method} {path}: {document}")
        return dict(document)

    def usage(self) -> Usage:
        """Return CPU and memory of all its processes."""
        parent = psutil.Process(self._process.pid)
        cpu: dict[int, float] = {}
        rss = 0
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess, OSError):
                cpu[process.pid] = _cpu_seconds(process)
                rss += process.memory_info().rss
        return Usage(cpu_seconds=cpu, rss_bytes=rss)


def _cpu_seconds(process: psutil.Process) -> float:
    """Return what the scheduler counted for the process's threads: nanoseconds, where `times` has 10 ms."""
    tasks = Path(f"/proc/{process.pid}/task")
    try:
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9
    except OSError:
        times = process.cpu_times()
        return float(times.user + times.system)


def cpu_shares() -> CpuShares:
    """Return a CPU for the Coordinator and the others for its callers, none where that cannot be.

    Callers on the Coordinator's CPU would empty its caches between any two of its steps, as callers elsewhere
    cannot.
    """
    if shutil.which("taskset") is None or not hasattr(os, "sched_getaffinity"):
        return (), ()
    first, *others = sorted(os.sched_getaffinity(0))
    return ((first,), others) if others else ((), ())


@contextlib.contextmanager
def coordinator(
    directory: Path, platform: Path, *, workers: int = 1, cpus: CpuShares | None = None
) -> Iterator[tuple[CoordinatorProcess, float]]:
    """Start a Coordinator; yield it with the seconds from start to its first answer.

    Args:
        directory: For its state and log; emptied before.
        platform: Where the simulated platform is.
        workers: How many processes serve.
        cpus: Those of the Coordinator and those of its callers; `cpu_shares` if none are given.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    client, mesh = _free_port(), _free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "SEALMESH_CLIENT_ADDR": f"127.0.0.1:{client}",
        "SEALMESH_MESH_ADDR": f"127.0.0.1:{mesh}",
        "SEALMESH_SEAL_DIR": str(directory / "seal"),
        "SEALMESH_ATTESTER": f"simulated:{platform}",
    }
    begin = time.perf_counter()
    with (directory / "log").open("wb") as log:
        command = [str(Path(sys.executable).parent / "sealmesh"), "coordinator", "--workers", str(workers)]
        own, others = cpu_shares() if cpus is None else cpus
        command = [*on_cpus(own), *command]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    running = CoordinatorProcess(process, client, mesh, directory / "seal", cpus_for_others=others)
    try:
        while True:
            if process.poll() is not None:
                sys.exit(f"the Coordinator ended: {(directory / 'log').read_text()}")
            try:
                running.request("GET", "/status")
                break
            except (OSError, http.client.HTTPException):
                if time.perf_counter() - begin > 60:
                    sys.exit("the Coordinator does not answer")
                time.sleep(0.01)
        yield running, time.perf_counter() - begin
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
