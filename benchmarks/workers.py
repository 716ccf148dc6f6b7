"""What a second worker brings.

A machine with two CPUs has none left for the callers. So each worker gets one CPU together with its callers:
one worker and half of the callers on one CPU, then two workers and all callers on two. What callers and
workers cost each other is then the same, and the calls a second show what the second worker brings: how
evenly the kernel deals out connections, and what workers cost each other (locks, caches, the store).
"""

import os
from contextlib import ExitStack
from statistics import median

from benchmarks.activation import LEGACY, Bench
from benchmarks.coordinator_process import CoordinatorProcess, coordinator
from benchmarks.population import manifest
from benchmarks.table import Cost

AIM = 1.7
#: For each worker.
_CALLERS, _CALLS = 16, 160


def two_workers(bench: Bench) -> None:
    """Compare one and two workers on fresh connections, in turn."""
    bench.table.head("Workers (legacy, fresh connections; each shares a CPU with its callers)")
    cpus = sorted(os.sched_getaffinity(0))[:2]
    if len(cpus) < 2:
        bench.table.line("two workers", "not measured: there is one CPU only")
        return
    rates: dict[int, list[float]] = {1: [], 2: []}
    used: dict[int, list[float]] = {1: [], 2: []}
    with ExitStack() as stack:
        servers = {}
        for workers in (1, 2):
            share = cpus[:workers]
            servers[workers], _ = stack.enter_context(
                coordinator(
                    bench.directory / f"w{workers}", bench.platform, workers=workers, cpus=(share, share)
                )
            )
            servers[workers].request("POST", "/manifest", manifest())
            _round(bench, servers[workers], workers)
        for _ in range(bench.rounds):
            for workers, server in servers.items():
                cpu, rate = _round(bench, server, workers)
                used[workers].append(cpu)
                rates[workers].append(rate)
    for workers in (1, 2):
        cost = Cost(quiet=min(used[workers]), middle=median(used[workers]), per_second=median(rates[workers]))
        bench.table.cost(f"{workers} worker(s)", cost)
    best, middle = max(rates[2]) / max(rates[1]), median(rates[2]) / median(rates[1])
    verdict = "met" if best >= AIM else "MISSED"
    bench.table.line("calls/s, best rounds", f"{best:7.2f} times, aim {AIM}: {verdict}")
    bench.table.line("calls/s, medians", f"{middle:7.2f} times")


def _round(bench: Bench, server: CoordinatorProcess, workers: int) -> tuple[float, float]:
    """Return the server's CPU for a call, and the calls a second."""
    calls = _CALLS * workers
    before, after, result = bench.round(
        server, LEGACY, bench.legacy, calls=calls, concurrency=_CALLERS * workers
    )
    return (after.cpu - before.cpu) / calls, result.per_second
