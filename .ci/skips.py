"""Fail when pytest skipped a test for a reason that is not on the committed list."""

import re
import sys
from pathlib import Path


def main(report: str, allowed: str) -> int:
    """Return 1 and name the lines when `report` has skips that `allowed` does not list."""
    reasons = [
        line.strip()
        for line in Path(allowed).read_text().splitlines()
        if line.strip() and not line.startswith("#")
    ]
    skipped = [line for line in Path(report).read_text().splitlines() if re.match(r"(SKIPPED|XFAIL) ", line)]
    bad = [line for line in skipped if not any(reason in line for reason in reasons)]
    for line in bad:
        print(f"not on the list of allowed skips: {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
