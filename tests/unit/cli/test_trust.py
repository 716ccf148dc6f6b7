import json
from pathlib import Path

import pytest

from sealmesh.cli import main
from sealmesh.cli.output import Output
from sealmesh.cli.session import save_quote
from sealmesh.cli.trust import Trust
from sealmesh.errors.cli import FileProblem

ERA = {"SignerID": "c0" * 32, "ProductID": 3, "SecurityVersion": 2}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.mark.parametrize("name", ["coordinator-era.json", "era-config.json"])
def test_an_era_file_of_the_working_directory_is_found(folder: Path, name: str) -> None:
    (folder / name).write_text(json.dumps(ERA))
    found = Trust().default_reference()
    assert found is not None
    assert found.coordinator[0].product_id == 3
    assert found.coordinator[0].accepted_tcb_statuses == {"UpToDate", "SWHardeningNeeded"}


def test_without_one_there_is_none(folder: Path) -> None:
    assert Trust().default_reference() is None


def test_the_tcb_options_stand_in_for_the_files(folder: Path) -> None:
    (folder / "era.json").write_text(json.dumps(ERA | {"AcceptedAdvisories": ["INTEL-SA-1"]}))
    trust = Trust(
        era_config=Path("era.json"),
        accepted_tcb_statuses=("OutOfDate", "UpToDate"),
        accepted_advisories=("INTEL-SA-2",),
    )
    found = trust.reference()
    assert found is not None
    assert found.coordinator[0].accepted_tcb_statuses == {"OutOfDate", "UpToDate"}
    assert found.coordinator[0].accepted_advisories == {"INTEL-SA-2"}


def test_a_chain_that_was_named_must_be_there(folder: Path) -> None:
    with pytest.raises(FileProblem):
        Trust(coordinator_cert=Path("gone.pem")).kept_chain()
    assert Trust().kept_chain() is None


def test_a_chain_that_is_no_pem_is_refused(folder: Path) -> None:
    (folder / "chain.pem").write_text("nothing")
    with pytest.raises(FileProblem):
        Trust(coordinator_cert=Path("chain.pem")).kept_chain()


def test_an_era_file_that_cannot_be_read_is_refused_before_connecting(folder: Path, capsys) -> None:
    (folder / "coordinator-era.json").write_text("{}")
    assert main(["status", "127.0.0.1:1"]) == 1
    assert "accept any Coordinator" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["secret", "get", "pin", "127.0.0.1:1", "--cert", "a", "--key", "b", "-i"],
        ["manifest", "update", "get", "127.0.0.1:1", "-i"],
        ["manifest", "log", "127.0.0.1:1", "-i"],
    ],
)
def test_insecure_has_no_say_where_a_coordinator_must_have_been_verified(
    folder: Path, capsys, words: list[str]
) -> None:
    for name in "ab":
        (folder / name).write_text("x")
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error [trust-missing]")
    assert "--insecure, which has no say" in err


def test_a_coordinator_without_evidence_leaves_no_quote_and_the_command_goes_on(folder: Path, capsys) -> None:
    save_quote(Trust(save_sgx_quote=Path("quote.bin")), None, Output(as_json=False))
    assert "no quote to save" in capsys.readouterr().err
    assert not Path("quote.bin").exists()
    save_quote(Trust(save_sgx_quote=Path("quote.bin")), b"quote", Output(as_json=False))
    assert Path("quote.bin").read_bytes() == b"quote"
