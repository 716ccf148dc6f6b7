"""MarbleRun's recorded command lines, replayed with ours on our Coordinator.

`.ci/replay-scenarios.txt` names them (`cli_...`); the list may only grow.
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
    if line.startswith("cli_")
)

pytestmark = [
    pytest.mark.skipif(not (COMPAT / "replay.py").is_file(), reason="shared/ is absent"),
    pytest.mark.xdist_group("cli_recordings"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def reports():
    """All scenarios by one process: its test keys cost more than replaying."""
    server = f"env SEALMESH_COMPAT=marblerun {sys.executable} -m sealmesh.server"
    done = subprocess.run(
        [
            *(sys.executable, str(COMPAT / "replay.py"), "check", "--json", "--jobs", "2"),
            *("--coordinator", server, "--cli", f"{sys.executable} -m sealmesh.cli"),
            *(argument for name in NAMES for argument in ("--scenario", name)),
        ],
        capture_output=True,
        text=True,
        timeout=580,
        env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
    )
    return {report["scenario"]: report for report in json.loads(done.stdout)["scenarios"]}


@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_does_as_recorded(reports, name):
    report = reports[name]
    wrong = {step["step"]: step["differences"] for step in report["steps"] if not step["ok"]}
    assert report["verdict"] == "passed", json.dumps(wrong, indent=1) + str(report.get("notes"))


def test_every_recorded_command_line_is_replayed():
    recorded = {path.stem for path in (COMPAT / "golden" / "cli").glob("*.json")}
    assert set(NAMES) == recorded
