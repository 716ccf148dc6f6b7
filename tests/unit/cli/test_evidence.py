"""`sealmesh evidence`: shown, verified at a time, and explained so that the manifest accepts it."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sealmesh.adapters.attester.platform import open_or_create
from sealmesh.attestation import TrustRoot, appraise, parse_evidence
from sealmesh.attestation.appraisal import bound_data
from sealmesh.attestation.explanation import accepting_form
from sealmesh.attestation.simulated import EndorsementPlan, SimulatedBoot, issue_td_collateral
from sealmesh.cli import main
from sealmesh.manifest import parse_manifest


def _load(name: str) -> ModuleType:
    full = f"evidence_{name}"
    if full not in sys.modules:
        path = Path(__file__).resolve().parents[2] / "evidence" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


evidence = _load("genuine")
FAMILIES = list(evidence.MAKERS)
AT = ("--at", "2031-03-01T12:00:00Z")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(command: str, family: str, *options: str) -> tuple[int, str, str]:
        path = tmp_path / "evidence.bin"
        path.write_bytes(evidence.genuine(family).raw)
        code = main(["evidence", command, str(path), *options])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def root_option(root: TrustRoot) -> tuple[str, str]:
    return "--root", f"{root.family}:lab={root.sha256.hex()}"


@pytest.mark.parametrize("family", FAMILIES)
def test_any_form_is_recognized_and_shown_as_not_verified(run: Any, family: str) -> None:
    code, out, _ = run("show", family)
    assert code == 0
    assert out.startswith(f"{family.partition('-')[0]} Evidence, NOT verified\n")
    code, out, _ = run("show", family, "--json")
    document = json.loads(out)
    assert document["verified"] is False
    assert document["fields"]


@pytest.mark.parametrize("family", FAMILIES)
def test_explained_form_is_one_that_the_manifest_takes_and_that_accepts_the_evidence(
    run: Any, family: str
) -> None:
    code, out, _ = run("explain", family, "--json")
    assert code == 0
    manifest = {
        "Packages": {"p": {"Evidence": [json.loads(out)]}},
        "Marbles": {"m": {"Package": "p"}},
        "Config": {"FeatureGates": ["Evidence"]},
    }
    (reference,) = parse_manifest(json.dumps(manifest).encode()).packages["p"].evidence or ()
    verified = evidence.genuine(family).verify()
    data = evidence.DATA if family == "composite" else bound_data(verified.claims)
    appraise(verified, reference, report_data=data)


@pytest.mark.parametrize("family", ["snp", "nitro", "tpm", "gpu", "composite"])
def test_evidence_that_brings_everything_is_verified_under_its_root(run: Any, family: str) -> None:
    options = [word for root in evidence.genuine(family).roots for word in root_option(root)]
    code, out, err = run("verify", family, *options, *AT)
    assert (code, err) == (0, "")
    assert out.startswith(f"{family} Evidence, genuine\n")


def test_a_simulated_tpm_is_verified_by_its_platforms_directory_and_under_no_other_root(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An EK certificate is nothing without a challenge; the platform's owner saw the attestation key made."""
    platform = open_or_create(tmp_path / "platform")
    tpm, path = platform.tpm(), tmp_path / "evidence.bin"
    path.write_bytes(tpm.evidence(SimulatedBoot.of(evidence.PROGRAM), b"nonce", now=platform.clock()))
    assert main(["evidence", "verify", str(path), "--root", f"simulated:{platform.path}"]) == 0
    assert "simulated, SIMULATED" in capsys.readouterr().out
    assert main(["evidence", "verify", str(path), *root_option(tpm.trust_root)]) != 0
    assert "only an EK certificate speaks for the attestation key" in capsys.readouterr().err


def test_collateral_is_read_from_a_file(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "collateral.json"
    path.write_bytes(issue_td_collateral(evidence.machines().vendor, EndorsementPlan(issued=evidence.NOW)))
    (root,) = evidence.genuine("tdx").roots
    code, out, _ = run("verify", "tdx", *root_option(root), "--collateral", str(path), *AT, "--json")
    document = json.loads(out)
    assert (code, document["tcbStatus"], document["verified"]) == (0, "UpToDate", True)
    assert document["claims"]["debug"] == "false"


def test_time_decides(run: Any) -> None:
    (root,) = evidence.genuine("gpu").roots
    code, out, err = run("verify", "gpu", *root_option(root), "--at", "2032-03-01T12:00:00Z")
    assert code == 1
    assert out == ""
    assert "expired:gpu" in err


def test_root_of_another_family_does_not_count(run: Any) -> None:
    code, _, err = run("verify", "snp", "--root", "intel", *AT)
    assert code == 1
    assert "roots:none" in err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--root", "nobody"), "no trust root"),
        (("--root", "simulated:/nowhere"), "no simulated platform"),
        (("--root", "amd-milan", "--at", "yesterday"), "no time"),
        (("--root", "amd-milan", "--collateral", "a", "--collateral", "b"), "one --collateral"),
    ],
)
def test_wrong_words_are_usage_errors(run: Any, options: tuple[str, ...], word: str) -> None:
    code, _, err = run("verify", "snp", *options)
    assert code == 1
    assert "error [usage]" in err
    assert word in err


def test_what_is_no_evidence_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"not evidence")
    assert main(["evidence", "show", str(path)]) == 1
    assert "format:" in capsys.readouterr().err


def test_debug_is_explained_in_so_many_words() -> None:
    debug = evidence.machines().chip.report(
        evidence.SimulatedGuest(measurement=b"\1" * 48, policy=1 << 17 | 1 << 19), evidence.DATA
    )
    assert accepting_form(parse_evidence(debug))["SNP"]["Debug"] is True
