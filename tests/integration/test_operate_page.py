"""`docs/tasks/operate.md`: its commands, as they stand there, against a real Coordinator."""

import os
import re
import subprocess
import sys
from pathlib import Path

import operator_world
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tasks" / "operate.md"
BLOCKS = re.findall(r"^## ([^\n]+)|^```console\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.xdist_group("operate_page")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run the page's blocks in order; give what each section printed."""
    world = operator_world.OperatorWorld(tmp_path_factory.mktemp("operate"))
    programs = world.folder / "bin"
    programs.mkdir()
    (programs / "sealmesh").write_text(f'#!/bin/sh\nexec {sys.executable} -m sealmesh.cli "$@"\n')
    (programs / "sealmesh").chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(world.folder),
        "MESH": world.address,
        "COLUMNS": "200",
    }
    out: dict[str, str] = {}
    section = ""
    world.start()
    try:
        for heading, commands in BLOCKS:
            if heading:
                section = heading
                if section == "Recover":
                    world.lose_key()
                continue
            done = subprocess.run(
                ["bash", "-euc", commands],
                cwd=world.folder, env=environment, capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
            out[section] = out.get(section, "") + done.stdout
        out["secrets"] = (world.folder / "read.json").read_text()
    finally:
        world.kill()
    return out


def test_the_manifest_is_set_and_recovery_data_handed_out(printed) -> None:
    assert "The manifest is set." in printed["Set the manifest"]
    assert "Recovery data is in recovery.json" in printed["Set the manifest"]


def test_secrets_are_set_and_read(printed) -> None:
    assert "Set: recipe" in printed["Secrets"]
    assert "Set: shop" in printed["Secrets"]
    assert '"cnll"' in printed["secrets"]


def test_the_manifest_changes_with_the_others_consent(printed) -> None:
    text = printed["Change the manifest"]
    assert "waits for 1 more acknowledgments, of: bob" in text
    assert "The update is in force." in text


def test_owners_bring_the_coordinator_back(printed) -> None:
    text = printed["Recover"]
    assert "\n1: " in text
    assert "Still missing: 1" in text
    assert "has its state back" in text
    assert "\n3: " in text
