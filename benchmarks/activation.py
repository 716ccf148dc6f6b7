"""What an activation costs the Coordinator, and how that grows.

Server CPU is what the operating system counted for all of the Coordinator's processes; the load generator is
another process. All figures of one run share their unit, one P-384 verification (`benchmarks.units`).
"""

import shutil
import subprocess
from pathlib import Path
from statistics import median

from benchmarks.coordinator_process import CoordinatorProcess, Usage, coordinator, cpu_shares
from benchmarks.load.generator import Generator, Identity, LoadResult
from benchmarks.population import manifest, marbles
from benchmarks.table import Cost, Table
from benchmarks.units import UnitClock

LEGACY = "/rpc.Marble/Activate"
OWN = "/sealmesh.mesh.v1.Enrolment/Activate"
#: In units; what they mean is in `docs/performance.md`.
AIMS = {"fresh": 9.0, "kept": 5.0, "10 keys, 4 certificates": 12.0, "own": 6.0}
#: How much more a call may cost when there is more of everything.
FLAT = 1.2
_WARM_UP_CALLS = 60


class Bench:
    """The runs, each on a Coordinator of its own.

    Args:
        calls: In each round.
        rounds: For each figure.
    """

    def __init__(self, directory: Path, *, calls: int, rounds: int) -> None:
        self.directory, self.calls, self.rounds = directory, calls, rounds
        self.table = Table()
        self.platform = directory / "platform"
        self.clock = UnitClock(cpu_shares()[0])
        self.generator = Generator(directory)
        self.legacy = marbles(self.platform, 16, legacy=True)
        self.own = marbles(self.platform, 16, legacy=False)

    def round(
        self,
        server: CoordinatorProcess,
        method: str,
        identities: list[Identity],
        *,
        calls: int,
        kept: bool = False,
        concurrency: int = 4,
        handshake: bool = False,
    ) -> tuple[Usage, Usage, LoadResult]:
        """Send calls; return what the server had used before and after, and what the callers saw."""
        before = server.usage()
        result = self.generator.run(
            server.mesh_address,
            method,
            identities,
            calls=calls,
            concurrency=concurrency,
            kept=kept,
            handshake=handshake,
            cpus=server.cpus_for_others,
        )
        if result.failed:
            raise SystemExit(f"{result.failed} of {calls} calls failed: {result.first_error}")
        return before, server.usage(), result

    def cost(
        self,
        server: CoordinatorProcess,
        method: str,
        identities: list[Identity],
        *,
        kept: bool = False,
        handshake: bool = False,
    ) -> Cost:
        """Return the server's CPU for one call."""
        figures = []
        units = [self.clock.time()]
        for number in range(self.rounds + 1):
            calls = self.calls if number else _WARM_UP_CALLS
            before, after, result = self.round(
                server, method, identities, calls=calls, kept=kept, handshake=handshake
            )
            if number:
                figures.append(((after.cpu - before.cpu) / calls, result))
            units.append(self.clock.time())
        return Cost(
            quiet=min(cpu for cpu, _ in figures),
            middle=median(cpu for cpu, _ in figures),
            unit=(min(units), median(units)),
            per_second=median(result.per_second for _, result in figures),
            p50_ms=median(result.p50_ms for _, result in figures),
        )

    def calls_of_each_kind(self) -> None:
        """Fresh and kept connections, both calls; memory and start."""
        table = self.table
        table.head("One activation, Evidence verified, platform seen before")
        with coordinator(self.directory / "c", self.platform) as (server, cold):
            idle = server.usage().rss_bytes
            server.request("POST", "/manifest", manifest())
            bare = self.cost(server, LEGACY, self.legacy, handshake=True)
            table.cost("bare TLS 1.3 mutual handshake, P-384", bare)
            fresh = self.cost(server, LEGACY, self.legacy)
            table.cost("legacy, fresh connection", fresh, aim=AIMS["fresh"])
            kept = self.cost(server, LEGACY, self.legacy, kept=True)
            table.cost("legacy, kept connection", kept, aim=AIMS["kept"])
            bare_own = self.cost(server, OWN, self.own, handshake=True)
            table.cost("bare TLS 1.3 mutual handshake, P-256 Marble", bare_own)
            own = self.cost(server, OWN, self.own)
            table.cost("own enrolment, fresh connection", own, aim=AIMS["own"])
            table.cost("own enrolment, kept connection", self.cost(server, OWN, self.own, kept=True))
        with coordinator(self.directory / "c", self.platform) as (server, _):
            server.request("POST", "/manifest", manifest(used_keys=10, used_certificates=4))
            several = self.cost(server, LEGACY, self.legacy)
            table.cost("legacy, fresh, 10 keys, 4 certificates", several, aim=AIMS["10 keys, 4 certificates"])
        table.line("legacy, fresh / bare handshake", f"{fresh.quiet / bare.quiet:7.2f} times")
        table.line("own, fresh / bare handshake (P-256)", f"{own.quiet / bare_own.quiet:7.2f} times")
        sign = openssl_p384_sign()
        if sign is not None:
            table.line("legacy, fresh / `openssl speed` P-384 sign", f"{fresh.quiet / sign:7.2f} times")
        table.line("start to first answer", f"{cold * 1000:7.0f} ms")
        table.line("memory before a manifest", f"{idle / 2**20:7.0f} MiB")

    def growth(self) -> None:
        """The same call with more of everything."""
        self.table.head("How it grows (legacy, fresh connection)")
        groups = {
            "{} Marble types": {n: manifest(types=n) for n in (1, 100, 1000)},
            "{} shared keys that no template names": {n: manifest(unused_keys=n) for n in (10, 1000)},
            "{} unused private certificates": {n: manifest(unused_certificates=n) for n in (0, 100)},
        }
        for name, documents in groups.items():
            first = 0.0
            for count, document in documents.items():
                with coordinator(self.directory / "c", self.platform) as (server, _):
                    server.request("POST", "/manifest", document)
                    cost = self.cost(server, LEGACY, self.legacy)
                first = first or cost.quiet
                self.table.cost(name.format(count), cost, note=_ratio(cost.quiet, first))

    def history(self) -> None:
        """The same call after many."""
        self.table.head("After 10 and after 10,000 activations (the type has a limit: each is counted)")
        with coordinator(self.directory / "c", self.platform) as (server, _):
            server.request("POST", "/manifest", manifest(limit=10**9))
            self.round(server, LEGACY, self.legacy, calls=10)
            small = server.usage().rss_bytes
            young = self.cost(server, LEGACY, self.legacy)
            self.table.cost("after 10", young)
            self.round(server, OWN, self.own, calls=10_000, kept=True, concurrency=8)
            old = self.cost(server, LEGACY, self.legacy)
            self.table.cost("after 10,000", old, note=_ratio(old.quiet, young.quiet))
            size = sum(f.stat().st_size for f in server.seal_dir.iterdir())
            large = server.usage().rss_bytes
        self.table.line("memory after 10 and after 10,000", f"{small / 2**20:7.0f} {large / 2**20:7.0f}  MiB")
        self.table.line("seal directory", f"{size / 2**20:7.1f} MiB")


def _ratio(cost: float, first: float) -> str:
    ratio = cost / first
    return f"{ratio:.2f} times" + ("" if ratio <= FLAT else f": MISSED, at most {FLAT}")


def openssl_p384_sign() -> float | None:
    """Return CPU seconds of one signature as the `openssl` command says, None where it is not there."""
    if shutil.which("openssl") is None:
        return None
    command = ["openssl", "speed", "-seconds", "1", "ecdsap384"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    row = next(line for line in output.splitlines() if "(nistp384)" in line)
    return float(row.split()[-4].rstrip("s"))
