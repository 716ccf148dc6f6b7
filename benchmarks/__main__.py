"""`make bench`: prints ratios taken in one run. Not a gate."""

import argparse
import os
import platform
import tempfile
from pathlib import Path

from benchmarks.activation import Bench
from benchmarks.dataplane import DataplaneBench
from benchmarks.steps import Steps
from benchmarks.store import commits
from benchmarks.units import measure_units
from benchmarks.verification import verification
from benchmarks.workers import two_workers

PARTS = ("calls", "steps", "growth", "history", "workers", "store", "dataplane", "verification")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=40, help="calls in a round")
    parser.add_argument("--rounds", type=int, default=48, help="rounds for each figure")
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--requests", type=int, default=2000, help="requests per figure of the data plane")
    arguments = parser.parse_args()
    units = measure_units()
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; unit: "
        f"one P-384 verification, {units.p384_verify * 1e6:.0f} us (sign {units.p384_sign * 1e6:.0f} us, "
        f"P-256 verification {units.p256_verify * 1e6:.0f} us)"
    )
    with tempfile.TemporaryDirectory(prefix="sealmesh-bench-") as name:
        directory = Path(name)
        bench = Bench(directory, calls=arguments.calls, rounds=arguments.rounds)
        parts = {
            "calls": bench.calls_of_each_kind,
            "steps": lambda: Steps(directory, bench.platform, bench.table).run(bench.legacy[0], bench.own[0]),
            "growth": bench.growth,
            "history": bench.history,
            "workers": lambda: two_workers(bench),
            "store": lambda: commits(directory, bench.table),
            "dataplane": DataplaneBench(directory / "dataplane", requests=arguments.requests).run,
            "verification": lambda: verification(bench.table),
        }
        for part in arguments.part or parts:
            parts[part]()


if __name__ == "__main__":
    main()
