"""What an activation costs the Coordinator, and how that grows.

Server CPU is what the operating system counted for all of the Coordinator's processes; the load generator is
another process. All figures of one run share their unit, one P-384 verification (`benchmarks.units`).
"""

import shutil
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
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
AIMS = {
    "legacy, fresh connection": 9.0,
    "legacy, kept connection": 5.0,
    "legacy, fresh, 10 keys, 4 certificates": 12.0,
    "own enrolment, fresh connection": 6.0,
}
#: How much more a call may cost when there is more of everything.
FLAT = 1.2
_WARM_UP_CALLS = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """What is called, and how. Ours go over Connect unless `grpc` is set."""

    server: CoordinatorProcess
    method: str
    identities: list[Identity]
    kept: bool = False
    handshake: bool = False
    grpc: bool = False


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
        grpc: bool = False,
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
            grpc=grpc,
            cpus=server.cpus_for_others,
        )
        if result.failed:
            raise SystemExit(f"{result.failed} of {calls} calls failed: {result.first_error}")
        return before, server.usage(), result

    def costs(self, plans: Mapping[str, Plan]) -> dict[str, Cost]:
        """Return the server's CPU for one call of each plan.

        Rounds of all plans are in turn, so that a moment in which the machine is slow meets them all. Before
        each are some calls that do not count: the caches are still another server's then.
        """
        figures: dict[str, list[tuple[float, LoadResult]]] = {name: [] for name in plans}
        units = [self.clock.time()]
        for number in range(self.rounds + 1):
            for name, plan in plans.items():
                self._run(plan, _WARM_UP_CALLS if number else 4 * _WARM_UP_CALLS)
                before, after, result = self._run(plan, self.calls)
                if number:
                    figures[name].append(((after.cpu - before.cpu) / self.calls, result))
                units.append(self.clock.time())
        return {
            name: Cost(
                quiet=min(cpu for cpu, _ in rounds),
                middle=median(cpu for cpu, _ in rounds),
                unit=(min(units), median(units)),
                per_second=median(result.per_second for _, result in rounds),
                p50_ms=median(result.p50_ms for _, result in rounds),
            )
            for name, rounds in figures.items()
        }

    def _run(self, plan: Plan, calls: int) -> tuple[Usage, Usage, LoadResult]:
        return self.round(
            plan.server,
            plan.method,
            plan.identities,
            calls=calls,
            kept=plan.kept,
            handshake=plan.handshake,
            grpc=plan.grpc,
        )

    def calls_of_each_kind(self) -> None:
        """Fresh and kept connections, both calls; memory and start."""
        table = self.table
        table.head("One activation, Evidence verified, platform seen before; rounds in turn")
        with self._coordinator("c") as (server, cold), self._coordinator("several") as (other, _):
            idle = server.usage().rss_bytes
            server.request("POST", "/manifest", manifest())
            other.request("POST", "/manifest", manifest(used_keys=10, used_certificates=4))
            legacy, own = Plan(server, LEGACY, self.legacy), Plan(server, OWN, self.own)
            costs = self.costs(
                {
                    "bare TLS 1.3 mutual handshake, P-384": replace(legacy, handshake=True),
                    "legacy, fresh connection": legacy,
                    "legacy, kept connection": replace(legacy, kept=True),
                    "legacy, fresh, 10 keys, 4 certificates": replace(legacy, server=other),
                    "bare TLS 1.3 mutual handshake, P-256 Marble": replace(own, handshake=True),
                    "own enrolment, fresh connection": own,
                    "own enrolment, kept connection": replace(own, kept=True),
                    "own enrolment over gRPC, fresh connection": replace(own, grpc=True),
                    "own enrolment over gRPC, kept connection": replace(own, grpc=True, kept=True),
                }
            )
        for name, cost in costs.items():
            table.cost(name, cost, aim=AIMS.get(name))
        quiet = {name: cost.quiet for name, cost in costs.items()}
        fresh = quiet["legacy, fresh connection"]
        ratio = fresh / quiet["bare TLS 1.3 mutual handshake, P-384"]
        table.line("legacy, fresh / bare handshake", f"{ratio:7.2f} times")
        ratio = (
            quiet["own enrolment, fresh connection"] / quiet["bare TLS 1.3 mutual handshake, P-256 Marble"]
        )
        table.line("own, fresh / bare handshake (P-256)", f"{ratio:7.2f} times")
        sign = openssl_p384_sign()
        if sign is not None:
            table.line("legacy, fresh / `openssl speed` P-384 sign", f"{fresh / sign:7.2f} times")
        table.line("start to first answer", f"{cold * 1000:7.0f} ms")
        table.line("memory before a manifest", f"{idle / 2**20:7.0f} MiB")

    def growth(self) -> None:
        """The same call with more of everything."""
        self.table.head("How it grows (legacy, fresh connection; each group in turn)")
        groups = {
            "{} Marble types": {n: manifest(types=n) for n in (1, 100, 1000)},
            "{} shared keys that no template names": {n: manifest(unused_keys=n) for n in (10, 1000)},
            "{} unused private certificates": {n: manifest(unused_certificates=n) for n in (0, 100)},
        }
        for name, documents in groups.items():
            with ExitStack() as stack:
                plans = {}
                for count, document in documents.items():
                    server, _ = stack.enter_context(self._coordinator(f"g{count}"))
                    server.request("POST", "/manifest", document)
                    plans[name.format(count)] = Plan(server, LEGACY, self.legacy)
                costs = self.costs(plans)
            first = next(iter(costs.values())).quiet
            for label, cost in costs.items():
                self.table.cost(label, cost, note=_ratio(cost.quiet, first))

    def history(self) -> None:
        """The same call after many."""
        self.table.head(
            "After 10 and after 10,000 activations (the type has a limit: each is counted); in turn"
        )
        with self._coordinator("young") as (young, _), self._coordinator("old") as (old, _):
            for server in (young, old):
                server.request("POST", "/manifest", manifest(limit=10**9))
                self.round(server, LEGACY, self.legacy, calls=10)
            small = old.usage().rss_bytes
            self.round(old, OWN, self.own, calls=10_000, kept=True, concurrency=8)
            costs = self.costs(
                {
                    "after 10": Plan(young, LEGACY, self.legacy),
                    "after 10,000": Plan(old, LEGACY, self.legacy),
                }
            )
            size = sum(f.stat().st_size for f in old.seal_dir.iterdir())
            large = old.usage().rss_bytes
        for label, cost in costs.items():
            self.table.cost(label, cost, note=_ratio(cost.quiet, costs["after 10"].quiet))
        self.table.line("memory after 10 and after 10,000", f"{small / 2**20:7.0f} {large / 2**20:7.0f}  MiB")
        self.table.line("seal directory", f"{size / 2**20:7.1f} MiB")

    def _coordinator(self, name: str) -> AbstractContextManager[tuple[CoordinatorProcess, float]]:
        return coordinator(self.directory / name, self.platform)


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
