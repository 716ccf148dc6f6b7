"""What an activation costs the Coordinator, and how that grows.

Server CPU is read from the operating system for all of the Coordinator's processes; the load generator is
another process. All figures of one run share their unit, one P-384 verification (`benchmarks.units`).
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.coordinator_process import CoordinatorProcess, coordinator
from benchmarks.load.generator import Generator, Identity
from benchmarks.population import manifest, marbles
from benchmarks.units import Units

LEGACY = "/rpc.Marble/Activate"
OWN = "/sealmesh.mesh.v1.Enrolment/Activate"
#: The aims, in units; the last column of the reference in `docs/performance.md`.
AIMS = {"fresh": 9.0, "kept": 5.0, "10 keys, 4 certificates": 12.0, "own enrolment": 6.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Server CPU of one call, and what the callers saw."""

    cpu_seconds: float
    per_second: float
    p50_ms: float


class Bench:
    """The runs, each on a Coordinator of its own."""

    def __init__(self, directory: Path, units: Units, *, calls: int) -> None:
        self.directory, self.units, self.calls = directory, units, calls
        self.platform = directory / "platform"
        self.generator = Generator(directory)
        self.legacy = marbles(self.platform, 16, legacy=True)
        self.own = marbles(self.platform, 16, legacy=False)

    def cost(
        self,
        server: CoordinatorProcess,
        method: str,
        identities: list[Identity],
        *,
        kept: bool = False,
        calls: int | None = None,
        rounds: int = 3,
        concurrency: int = 4,
        handshake: bool = False,
    ) -> Cost:
        """Return the median over `rounds` of the server's CPU per call."""
        calls = calls or self.calls
        figures = []
        for round_number in range(rounds + 1):
            before = server.usage()
            result = self.generator.run(
                server.mesh_address,
                method,
                identities,
                calls=calls if round_number else 40,
                concurrency=concurrency,
                kept=kept,
                handshake=handshake,
            )
            if result.failed:
                raise SystemExit(f"{result.failed} of {calls} calls failed: {result.first_error}")
            if round_number:  # the first is for warming up
                cpu = (server.usage().cpu_seconds - before.cpu_seconds) / calls
                figures.append(Cost(cpu_seconds=cpu, per_second=result.per_second, p50_ms=result.p50_ms))
        return Cost(
            cpu_seconds=median(f.cpu_seconds for f in figures),
            per_second=median(f.per_second for f in figures),
            p50_ms=median(f.p50_ms for f in figures),
        )

    def show(self, name: str, cost: Cost, *, aim: float | None = None) -> float:
        """Print one line; return the units."""
        units = self.units.of(cost.cpu_seconds)
        wanted = f"   aim {aim:g}: {'met' if units <= aim else 'MISSED'}" if aim else ""
        print(
            f"  {name:44} {units:6.2f} units  {cost.cpu_seconds * 1000:6.2f} ms CPU"
            f"  {cost.per_second:7.0f}/s  p50 {cost.p50_ms:6.2f} ms{wanted}",
            flush=True,
        )
        return units

    def calls_of_each_kind(self) -> None:
        print("\nOne activation, Evidence verified, platform seen before")
        with coordinator(self.directory / "c", self.platform) as (server, cold):
            idle = server.usage().rss_bytes
            server.request("POST", "/manifest", manifest())
            bare = self.cost(server, LEGACY, self.legacy, handshake=True)
            self.show("bare TLS 1.3 mutual handshake, P-384", bare)
            fresh = self.cost(server, LEGACY, self.legacy)
            self.show("legacy, fresh connection", fresh, aim=AIMS["fresh"])
            print(f"  {'':44} {fresh.cpu_seconds / bare.cpu_seconds:6.2f} bare handshakes")
            print(
                f"  {'':44} {fresh.cpu_seconds / openssl_p384_sign():6.2f} `openssl speed` P-384 signatures"
            )
            self.show(
                "legacy, kept connection", self.cost(server, LEGACY, self.legacy, kept=True), aim=AIMS["kept"]
            )
            self.show("own enrolment, fresh", self.cost(server, OWN, self.own), aim=AIMS["own enrolment"])
            self.show("own enrolment, kept", self.cost(server, OWN, self.own, kept=True))
            print(
                f"  start to first answer {cold * 1000:.0f} ms; "
                f"memory before a manifest {idle / 2**20:.0f} MiB"
            )

    def growth(self) -> None:
        print("\nHow it grows (legacy, fresh connection; ratio to the first line of each group)")
        groups = {
            "Marble types": [manifest(types=n) for n in (1, 100, 1000)],
            "unused secrets": [manifest(unused_keys=n) for n in (10, 1000)],
        }
        labels = {"Marble types": (1, 100, 1000), "unused secrets": (10, 1000)}
        for group, documents in groups.items():
            first = 0.0
            for label, document in zip(labels[group], documents, strict=True):
                with coordinator(self.directory / "c", self.platform) as (server, _):
                    server.request("POST", "/manifest", document)
                    units = self.show(f"{label} {group}", self.cost(server, LEGACY, self.legacy))
                    first = first or units
                    print(f"  {'':44} {units / first:6.2f} times")
        with coordinator(self.directory / "c", self.platform) as (server, _):
            server.request("POST", "/manifest", manifest(used_keys=10, used_certificates=4))
            self.show(
                "10 keys and 4 generated certificates",
                self.cost(server, LEGACY, self.legacy),
                aim=AIMS["10 keys, 4 certificates"],
            )

    def history(self) -> None:
        print("\nAfter 10 and after 10,000 activations (type with a limit, so that each is counted)")
        with coordinator(self.directory / "c", self.platform) as (server, _):
            server.request("POST", "/manifest", manifest(limit=10**9))
            young = self.show("after 10", self.cost(server, LEGACY, self.legacy))
            small = server.usage().rss_bytes
            self.generator.run(
                server.mesh_address, OWN, self.own, calls=10_000, concurrency=4, kept=True, handshake=False
            )
            old = self.show("after 10,000", self.cost(server, LEGACY, self.legacy))
            size = sum(f.stat().st_size for f in server.seal_dir.iterdir())
            print(
                f"  {'':44} {old / young:6.2f} times; memory {small / 2**20:.0f} to "
                f"{server.usage().rss_bytes / 2**20:.0f} MiB; seal dir {size / 2**20:.1f} MiB"
            )

    def workers(self) -> None:
        print("\nThroughput with workers (the load generator shares the machine)")
        rates = {}
        for workers in (1, 2):
            with coordinator(self.directory / "c", self.platform, workers=workers) as (server, _):
                server.request("POST", "/manifest", manifest())
                cost = self.cost(server, LEGACY, self.legacy, concurrency=16)
                rates[workers] = cost.per_second
                self.show(f"{workers} worker{'s' if workers > 1 else ''}, fresh", cost)
        print(f"  {'':44} {rates[2] / rates[1]:6.2f} times")


def openssl_p384_sign() -> float:
    """Return CPU seconds of one signature as the `openssl` command says, NaN where it is not there."""
    try:
        output = subprocess.run(
            ["openssl", "speed", "-seconds", "1", "ecdsap384"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return float("nan")
    row = next(line for line in output.splitlines() if "(nistp384)" in line)
    return float(row.split()[-4].rstrip("s"))
