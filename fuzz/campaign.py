"""One target for a time: the fuzzer in a process of its own, then a judgement of what it found."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fuzz.judgement import judge
from fuzz.places import Places
from fuzz.target import Target, load_target

TIMEOUT_SECONDS, RESIDENT_MEGABYTES = 20, 1024
"""Where the fuzzer stops an input by force. What is over the target's own bounds is judged afterwards."""
_START_SECONDS = 300
_EXECUTIONS = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_CRASH = re.compile(r"Test unit written to (\S+)")
_STATUS = re.compile(r"cov: (\d+) ft: \d+ corp: (\d+)")

_judging = threading.Lock()
"""Time and memory are those of the process, so only one target is judged at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one target.

    Attributes:
        target: Its name.
        executions: Inputs that were tried.
        coverage: Branches of sealmesh's code that were reached.
        kept: Inputs in the corpus.
        findings: Where each finding is.
        failure: Why nothing can be said, where the fuzzer did not do its work.
    """

    target: str
    executions: int
    coverage: int
    kept: int
    findings: tuple[Path, ...]
    failure: str = ""

    def __str__(self) -> str:
        if self.failure:
            return f"{self.target:20} FAILED: {self.failure}"
        figures = f"{self.executions:>9} executions  {self.coverage:>6} branches  {self.kept:>5} inputs kept"
        return f"{self.target:20} {figures}  {len(self.findings)} findings"


def fuzz_target(*, seconds: int, places: Places) -> Outcome:
    """Fuzz a target for `seconds`, then judge its corpus and what was suspect."""
    places.clear()
    name = places.target
    ended, said = _run(seconds, places)
    places.log.write_text(said)
    executions, status = _EXECUTIONS.search(said), _STATUS.findall(said)
    crashes = [Path(found) for found in _CRASH.findall(said)]
    for crash in crashes:
        crash.with_suffix(".txt").write_text(said[-8000:])
    failed = not crashes and (ended != 0 or executions is None or not status)
    with _judging:
        judged = () if failed else tuple(_judged(load_target(name), places))
    return Outcome(
        target=name,
        executions=int(executions[1]) if executions else 0,
        coverage=int(status[-1][0]) if status else 0,
        kept=sum(1 for _ in places.corpus.iterdir()),
        findings=(*crashes, *judged),
        failure=f"the fuzzer ended with status {ended}, see {places.log}" if failed else "",
    )


def _run(seconds: int, places: Places) -> tuple[int, str]:
    """Return the fuzzer's exit status and what it said."""
    limits = (f"-timeout={TIMEOUT_SECONDS}", f"-rss_limit_mb={RESIDENT_MEGABYTES}")
    options = (f"-max_total_time={seconds}", "-print_final_stats=1", *limits)
    ended = subprocess.run(
        [sys.executable, "-m", "fuzz.child", places.target, str(places.root), *options],
        cwd=Path(__file__).resolve().parents[1],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds + _START_SECONDS,
        check=False,
    )
    return ended.returncode, ended.stdout.decode(errors="replace")


def _judged(target: Target, places: Places) -> Iterator[Path]:
    for seed in target.seeds().values():
        target.run(seed)  # what is made once must not count for the first input
    for path in (*sorted(places.suspects.iterdir()), *sorted(places.corpus.iterdir())):
        data = path.read_bytes()
        wrong = judge(target, data)
        if wrong is not None:
            finding = places.findings / path.name
            finding.write_bytes(data)
            finding.with_suffix(".txt").write_text(wrong)
            yield finding
