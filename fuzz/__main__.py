"""`make fuzz`: every target for a bounded time, one line each. Exit status 1: findings; 2: cannot fuzz."""

import argparse
import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fuzz.campaign import Outcome, fuzz_target
from fuzz.judgement import judge
from fuzz.places import ROOT, Places
from fuzz.target import load_target, target_names

FOUND, CANNOT = 1, 2


def main(words: list[str] | None = None, *, fuzzer: str = "atheris") -> int:
    """Fuzz, or judge one input; return the exit status."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=300, help="in all, for all targets")
    parser.add_argument("--jobs", type=int, default=1, help="targets at the same time")
    parser.add_argument("--target", action="append", choices=target_names(), help="only this one; repeatable")
    parser.add_argument("--root", type=Path, default=ROOT, help="where corpus and findings are kept")
    parser.add_argument("--input", type=Path, help="only judge this input of --target, without the fuzzer")
    chosen = parser.parse_args(words)
    names = chosen.target or target_names()
    if chosen.input is not None:
        return _judge_one(names, chosen.input)
    if importlib.util.find_spec(fuzzer) is None:
        print(f"Nothing was fuzzed: {fuzzer} is not installed for {sys.executable}.")
        print("Its packages on PyPI are for CPython 3.11 to 3.13 on Linux: make fuzz PYTHON=python3.12")
        return CANNOT
    seconds = max(1, chosen.seconds * chosen.jobs // len(names))
    return _fuzz(names, seconds, chosen.jobs, chosen.root)


def _fuzz(names: list[str], seconds: int, jobs: int, root: Path) -> int:
    print(f"{len(names)} targets, {seconds} seconds each", flush=True)
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(jobs) as pool:
        for outcome in pool.map(lambda name: fuzz_target(seconds=seconds, places=Places(name, root)), names):
            print(outcome, flush=True)
            outcomes.append(outcome)
    findings = [path for outcome in outcomes for path in outcome.findings]
    for path in findings:
        print(f"finding: {path} (what is wrong: {path.with_suffix('.txt').name} beside it)")
    total = sum(outcome.executions for outcome in outcomes)
    print(f"{total} executions, {len(findings)} findings; corpus in {root / 'corpus'}")
    if any(outcome.failure for outcome in outcomes):
        return CANNOT
    return FOUND if findings else 0


def _judge_one(names: list[str], path: Path) -> int:
    if len(names) != 1:
        print("--input needs one --target")
        return CANNOT
    target = load_target(names[0])
    for seed in target.seeds().values():
        target.run(seed)
    wrong = judge(target, path.read_bytes())
    print(wrong or f"{names[0]} takes it well")
    return FOUND if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
