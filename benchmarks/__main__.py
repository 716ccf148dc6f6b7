"""`make bench`: prints ratios taken in one run. Not a gate."""

import argparse
import platform
import tempfile
from pathlib import Path

from benchmarks.activation import Bench
from benchmarks.dataplane import DataplaneBench
from benchmarks.units import measure_units

PARTS = ("calls", "growth", "history", "workers", "dataplane")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=400, help="calls per figure")
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--requests", type=int, default=2000, help="requests per figure of the data plane")
    arguments = parser.parse_args()
    units = measure_units()
    print(
        f"Python {platform.python_version()}; unit: one P-384 verification, {units.p384_verify * 1e6:.0f} us "
        f"here (sign {units.p384_sign * 1e6:.0f} us, P-256 verification {units.p256_verify * 1e6:.0f} us)"
    )
    with tempfile.TemporaryDirectory(prefix="sealmesh-bench-") as directory:
        bench = Bench(Path(directory), units, calls=arguments.calls)
        parts = {
            "calls": bench.calls_of_each_kind,
            "growth": bench.growth,
            "history": bench.history,
            "workers": bench.workers,
            "dataplane": DataplaneBench(Path(directory) / "dataplane", requests=arguments.requests).run,
        }
        for part in arguments.part or parts:
            parts[part]()


if __name__ == "__main__":
    main()
