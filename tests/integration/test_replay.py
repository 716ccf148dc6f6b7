"""Recorded exchanges of a MarbleRun Coordinator, replayed against ours.

`.ci/replay-scenarios.txt` names the scenarios that pass; the list may only grow. Those of the command line
are for `test_cli_recordings.py`. The recordings are beside the repository and are not part of it. All
scenarios are replayed by one process, because making its test keys costs more than replaying.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
COMPAT = REPOSITORY / ".." / "shared" / "compat"
NAMES = sorted(
    line
    for line in (REPOSITORY / ".ci" / "replay-scenarios.txt").read_text().splitlines()
    if line and not line.startswith(("#", "cli_"))
)
pytestmark = [
    pytest.mark.skipif(not (COMPAT / "replay.py").is_file(), reason="shared/ is absent"),
    pytest.mark.xdist_group("replay"),
    pytest.mark.timeout(600),
]


def replay(names):
    command = f"env SEALMESH_COMPAT=marblerun {sys.executable} -m sealmesh.server"
    wanted = [argument for name in names for argument in ("--scenario", name)]
    check = [sys.executable, COMPAT / "replay.py", "check", "--json", "--jobs", "2", "--coordinator", command]
    done = subprocess.run(
        [*check, *wanted],
        capture_output=True,
        text=True,
        timeout=580,
        env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
    )
    return {report["scenario"]: report for report in json.loads(done.stdout)["scenarios"]}


@pytest.fixture(scope="module")
def reports():
    return replay(NAMES)


def differences(report):
    wrong = {step["step"]: step["differences"] for step in report["steps"] if not step["ok"]}
    return json.dumps(wrong, indent=1) + str(report.get("notes"))


@pytest.mark.parametrize("name", NAMES)
def test_the_coordinator_answers_as_recorded(reports, name):
    assert reports[name]["verdict"] in ("passed", "quirk"), differences(reports[name])


def test_the_list_names_each_scenario_once():
    assert len(set(NAMES)) == len(NAMES)
