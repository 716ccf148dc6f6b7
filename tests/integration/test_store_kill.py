"""`kill -9` at any moment: no acknowledged change is lost, none is half there, and the state opens again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("store_killing.py")


def killing(*arguments, timeout=110, moored=False):
    found = subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=os.environ | {"MOORED": "1" if moored else "0"},
    )
    assert found.returncode == 0, found.stderr
    return int(found.stdout.split()[-1])


@pytest.mark.parametrize(
    ("scenario", "at_least"), [("founding", 4), ("committing", 15), ("rekeying", 15), ("replacing", 5)]
)
@pytest.mark.parametrize("moored", [False, True], ids=["plain", "moored"])
def test_a_kill_at_each_of_our_own_steps_loses_nothing(tmp_path, scenario, at_least, moored):
    directory = tmp_path if scenario == "founding" else tmp_path / "seal"
    assert killing("steps", scenario, directory, moored=moored) >= at_least


@pytest.mark.parametrize("moored", [False, True], ids=["plain", "moored"])
def test_a_kill_at_a_random_moment_loses_nothing(tmp_path, moored):
    assert killing("random", 30, tmp_path / "seal", moored=moored) > 1


@pytest.mark.slow
def test_hundreds_of_kills_at_random_moments_lose_nothing(tmp_path):
    assert killing("random", 400, tmp_path / "seal", timeout=1200) > 1


@pytest.mark.parametrize("moored", [False, True], ids=["plain", "moored"])
def test_a_killed_worker_does_not_hinder_the_other(tmp_path, moored):
    assert killing("workers", 5, tmp_path / "seal", moored=moored) > 1


@pytest.mark.slow
def test_many_killed_workers_do_not_hinder_the_others(tmp_path):
    assert killing("workers", 100, tmp_path / "seal", timeout=1200) > 1


def traced(scenario, directory, syscall, number, moored):
    """Run the scenario and kill it on entering the `number`th system call of that name."""
    command = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={syscall}", "-e"]
    command += [f"inject={syscall}:signal=SIGKILL:when={number}"]
    found = subprocess.run(
        [*command, sys.executable, str(PROGRAM), "run", scenario, str(directory)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env=os.environ | {"MOORED": "1" if moored else "0"},
    )
    assert found.returncode in (0, -9, 137), found.stderr
    return found.returncode == 0, int(found.stdout.split()[-1]) if found.stdout else 0


def strace_works():
    if shutil.which("strace") is None:
        return False
    return (
        subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.slow
@pytest.mark.timeout(1700)
@pytest.mark.parametrize("scenario", ["founding", "committing", "rekeying", "replacing"])
@pytest.mark.parametrize("moored", [False, True], ids=["plain", "moored"])
def test_a_kill_at_every_write_to_the_disk_loses_nothing(tmp_path, scenario, moored):
    """At every system call that writes, on entering it: all prefixes of what reaches the files."""
    if not strace_works():
        pytest.skip("strace is absent or may not trace here")
    start, directory = tmp_path / "start", tmp_path / "seal"
    start.mkdir()
    if scenario != "founding":
        killing("run", "founding", start, moored=moored)
    kills = 0
    for syscall in ("pwrite64", "write", "fsync", "fdatasync", "rename", "unlink", "ftruncate", "link"):
        for number in range(1, 1000):
            shutil.rmtree(directory, ignore_errors=True)
            shutil.copytree(start, directory)
            finished, reported = traced(scenario, directory, syscall, number, moored)
            lasting = 1 if scenario in ("committing", "rekeying") else 0
            killing("check", scenario, directory, reported or lasting, moored=moored)
            if finished:
                break
            kills += 1
    assert kills > 20
