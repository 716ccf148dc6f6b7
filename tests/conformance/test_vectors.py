"""Every vector of every family: verdict, reason, TCB status, advisories and claims as expected."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parents[1] / ".." / "shared" / "vectors"


def _load_runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_vectors", HERE / "run_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runner = _load_runner()
CASES: list[dict[str, Any]] = (
    [case for case in runner.load_cases(VECTORS) if case["tee"] in runner.SUPPORTED]
    if VECTORS.exists()
    else []
)
needs_vectors = pytest.mark.skipif(not VECTORS.exists(), reason="shared/ is absent")


REASONS = {
    "validity CN=SEV-VLEK": "expired:vlek",
    "leaf<-ask:InvalidSignature": "signature:vcek",
    "sig:InvalidSignature": "signature:report",
    "tcb ucode": "tcb:ucode",
    "validity": "expired:nitro leaf",
    "sig InvalidSignature": "signature:document",
    "platform sig": "signature:platform token",
    "realm key binding": "binding:realm key",
    "root ": "root:nitro root",
    "nonce": "nonce",
    "pcr digest": "pcr digest",
    "pcrdigest": "pcr digest",
}
"""Our code for what the expectations of families other than SGX and TDX begin with."""


def code_for(tee: str, reason: str | None) -> str | None:
    if reason is None or tee in ("sgx", "tdx"):
        return reason
    if tee == "nvidia" and reason.startswith("sig "):
        return "signature:measurements"
    return next(code for beginning, code in REASONS.items() if reason.startswith(beginning))


@needs_vectors
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_vector_gets_the_expected_verdict(case: dict[str, Any]) -> None:
    expected, found = case["expect"], runner.run_case(VECTORS, case)
    assert found["verdict"] == expected["verdict"], found
    assert found["error"] == code_for(case["tee"], expected.get("reason"))
    for name in ("tcb_status", "qe_status", "platform_status", "validity", "claims"):
        if name in expected:
            assert found[name] == expected[name], name
    if "advisories" in expected:
        assert found["advisories"] == sorted(expected["advisories"])


@needs_vectors
def test_runner_prints_one_line_per_case_and_names_what_it_skips() -> None:
    command = [sys.executable, str(HERE / "run_vectors.py"), str(VECTORS), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["id"] for line in lines] == [case["id"] for case in CASES]
    assert {"id", "verdict", "error", "tcb_status", "advisories", "claims"} <= lines[0].keys()
    skipped = [case["id"] for case in runner.load_cases(VECTORS) if case["tee"] not in runner.SUPPORTED]
    assert all(case in done.stderr for case in skipped)


@needs_vectors
def test_runner_keeps_to_the_family_asked_for() -> None:
    command = [sys.executable, str(HERE / "run_vectors.py"), str(VECTORS), "--json", "--tee", "sgx"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert all(json.loads(line)["id"].startswith("sgx/") for line in done.stdout.splitlines())
    assert done.stderr == ""
