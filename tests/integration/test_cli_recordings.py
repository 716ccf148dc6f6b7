"""MarbleRun's recorded command lines, replayed on ours. The list of passing ones only grows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMPAT = Path(__file__).resolve().parents[3] / "shared" / "compat"
#: Scenario to the steps that still differ, with what they wait for.
DIFFERING = {
    "cli_yaml": [],
    "cli_verify": ["get -u -o"],  # shows the package versions of updates
}

pytestmark = [
    pytest.mark.skipif(not COMPAT.exists(), reason="shared/ is absent"),
    pytest.mark.xdist_group("cli_recordings"),
]


def replay(scenario: str) -> dict[str, Any]:
    ours = f"{sys.executable} -m sealmesh.cli"
    done = subprocess.run(
        [
            *(sys.executable, str(COMPAT / "replay.py"), "check", "--json", "--scenario", scenario),
            *("--coordinator", f"{ours} coordinator --compat marblerun", "--cli", ours),
        ],
        capture_output=True,
        text=True,
        timeout=110,
    )
    return json.loads(done.stdout)


def differing_steps(scenario: str) -> list[str]:
    (found,) = replay(scenario)["scenarios"]
    assert found["steps"], found["reason"]
    return [step["step"] for step in found["steps"] if not step["ok"]]


def test_a_yaml_manifest_goes_as_it_went_with_marblerun() -> None:
    assert differing_steps("cli_yaml") == DIFFERING["cli_yaml"]


@pytest.mark.slow
def test_what_an_operator_reads_goes_as_it_went_with_marblerun() -> None:
    assert differing_steps("cli_verify") == DIFFERING["cli_verify"]
