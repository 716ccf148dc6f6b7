"""The targets of `make fuzz` work, without the fuzzer; and what it judges to be a finding is one."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sealmesh.errors import SealmeshError

REPOSITORY = Path(__file__).resolve().parents[2]
if str(REPOSITORY) not in sys.path:
    sys.path.append(str(REPOSITORY))

from fuzz.__main__ import CANNOT, FOUND, main  # noqa: E402
from fuzz.judgement import judge  # noqa: E402
from fuzz.target import Target, load_target, target_names  # noqa: E402

TARGETS = target_names()
FAMILIES = ("sgx", "tdx", "snp", "nitro", "tpm", "azure", "cca", "gpu")


def target(run, **bounds) -> Target:
    return Target(run=run, seeds=lambda: {"seed": b"seed"}, **bounds)


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_takes_its_seeds(name):
    found = load_target(name)
    seeds = found.seeds()
    assert seeds
    for seed in seeds.values():
        assert len(seed) <= found.longest
        found.run(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_gives_our_error_or_a_value_for_damaged_seeds(name):
    found = load_target(name)
    for seed in found.seeds().values():
        for damaged in (b"", seed[: len(seed) // 2], seed[:7] + b"\xff" + seed[8:], seed + b"\0"):
            try:
                found.run(damaged)
            except SealmeshError:
                pass


def test_all_families_have_a_target():
    assert set(FAMILIES) <= set(TARGETS)


def test_a_foreign_exception_is_a_finding():
    found = judge(target(lambda data: data[9]), b"short")
    assert found is not None
    assert "IndexError" in found


def test_our_error_is_no_finding():
    def refuse(data: bytes) -> None:
        raise SealmeshError("no")

    assert judge(target(refuse), b"") is None


def test_what_takes_long_is_a_finding():
    def spin(data: bytes) -> None:
        end = time.process_time() + 0.03
        while time.process_time() < end:
            pass

    found = judge(target(spin, milliseconds=10), b"")
    assert found is not None
    assert "ms" in found


def test_what_takes_much_memory_is_a_finding():
    found = judge(target(lambda data: bytearray(12 * 2**20)), b"")
    assert found is not None
    assert "12 MB" in found


def test_an_input_is_judged_without_the_fuzzer(tmp_path, capsys):
    path = tmp_path / "input"
    path.write_bytes(b"\x9f\x01\xff")
    assert main(["--target", "cbor", "--input", str(path)]) == 0
    assert "takes it well" in capsys.readouterr().out


def test_without_the_fuzzer_nothing_passes(capsys):
    assert main([], fuzzer="a_fuzzer_that_is_not_installed") == CANNOT
    said = capsys.readouterr().out
    assert "Nothing was fuzzed" in said
    assert CANNOT not in (0, FOUND)


def test_a_fuzzer_that_does_not_start_is_a_failure_and_not_a_pass(tmp_path):
    """A module by the fuzzer's name that is something else: its process ends, and has fuzzed nothing."""
    (tmp_path / "atheris.py").write_text("raise RuntimeError('broken')\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(REPOSITORY / "src")))}
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "fuzz",
            "--seconds",
            "1",
            "--target",
            "go_json",
            "--root",
            str(tmp_path / "f"),
        ],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == CANNOT, ended.stderr
    assert "go_json              FAILED" in ended.stdout
