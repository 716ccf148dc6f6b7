"""What a second worker brings.

The load generator shares the machine, and on two cores it takes one of them. So besides the calls a second
that came out, the capacity of the server is computed from its own CPU: calls for each CPU second of the
busiest worker, for a worker is a Python process and fills one core. That counts how unevenly the kernel
deals out connections, and what workers cost each other (locks, caches, the store); it assumes a core each.
"""

from statistics import median

from benchmarks.activation import LEGACY, Bench
from benchmarks.coordinator_process import coordinator
from benchmarks.population import manifest

AIM = 1.7


def two_workers(bench: Bench) -> None:
    """Compare one and two workers on fresh connections."""
    bench.table.head("Workers (legacy, fresh connections)")
    capacity, rates = {}, {}
    for workers in (1, 2):
        with coordinator(bench.directory / "c", bench.platform, workers=workers) as (server, _):
            server.request("POST", "/manifest", manifest())
            bench.table.cost(f"{workers} worker(s)", bench.cost(server, LEGACY, bench.legacy))
            figures = []
            for _ in range(bench.rounds):
                before, after, result = bench.round(
                    server, LEGACY, bench.legacy, calls=bench.calls * 2, concurrency=16
                )
                figures.append((bench.calls * 2 / after.busiest_since(before), result.per_second))
        capacity[workers] = max(each for each, _ in figures)
        rates[workers] = median(each for _, each in figures)
    ratio = capacity[2] / capacity[1]
    verdict = "met" if ratio >= AIM else "MISSED"
    bench.table.line(
        "capacity by CPU of the busiest worker",
        f"{capacity[1]:7.0f} {capacity[2]:7.0f}  calls/s: {ratio:.2f} times, aim {AIM}: {verdict}",
    )
    bench.table.line(
        "calls/s beside the load generator",
        f"{rates[1]:7.0f} {rates[2]:7.0f}  {rates[2] / rates[1]:.2f} times",
    )
