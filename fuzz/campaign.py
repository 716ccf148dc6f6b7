"""One target for a time: the fuzzer in a process of its own, then a judgement of what it found."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fuzz.places import Places

TIMEOUT_SECONDS, RESIDENT_MEGABYTES = 20, 1024
"""Where the fuzzer stops an input by force. What is over the target's own bounds is judged afterwards."""
_START_SECONDS, _JUDGE_SECONDS = 300, 1200
_EXECUTIONS = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_FINDING = re.compile(r"^finding (\S+)$", re.MULTILINE)
_CRASH = re.compile(r"Test unit written to (\S+)")
_STATUS = re.compile(r"cov: (\d+) ft: \d+ corp: (\d+)")


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
    fuzzed = crashes or (ended == 0 and executions is not None and status)
    judged, found = _judge(places) if fuzzed else (0, [])
    failed = (
        f"the fuzzer ended with status {ended}" if not fuzzed else "the judgement failed" if judged else ""
    )
    return Outcome(
        target=name,
        executions=int(executions[1]) if executions else 0,
        coverage=int(status[-1][0]) if status else 0,
        kept=sum(1 for _ in places.corpus.iterdir()),
        findings=(*crashes, *found),
        failure=f"{failed}, see {places.log}" if failed else "",
    )


def _run(seconds: int, places: Places) -> tuple[int, str]:
    """Return the fuzzer's exit status and what it said."""
    limits = (f"-timeout={TIMEOUT_SECONDS}", f"-rss_limit_mb={RESIDENT_MEGABYTES}")
    options = (f"-max_total_time={seconds}", "-print_final_stats=1", *limits)
    ended = _module("fuzz.child", places, list(options), timeout=seconds + _START_SECONDS)
    return ended.returncode, ended.stdout.decode(errors="replace")


def _judge(places: Places) -> tuple[int, list[Path]]:
    """Return the exit status of the judgement, and where it left findings."""
    ended = _module("fuzz.judging", places, [], timeout=_JUDGE_SECONDS)
    said = ended.stdout.decode(errors="replace")
    with places.log.open("a") as log:
        log.write(said)
    return ended.returncode, [Path(found) for found in _FINDING.findall(said)]


def _module(
    module: str, places: Places, options: list[str], *, timeout: int
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", module, places.target, str(places.root), *options],
        cwd=Path(__file__).resolve().parents[1],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        check=False,
    )
