"""`sealmesh collateral`: fetched, carried offline, shown and checked."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sealmesh.adapters.endorser.choice import open_bundle
from sealmesh.attestation import parse_collateral, parse_evidence
from sealmesh.attestation.simulated import SimulatedEnclave, SimulatedGuest, SimulatedTd, td_quote
from sealmesh.cli import main
from sealmesh.cli.commands.collateral import _merged
from sealmesh.errors.cli import UsageError

ENCLAVE = SimulatedEnclave(
    unique_id=b"\x01" * 32, signer_id=b"\x02" * 32, product_id=1, security_version=1, debug=False
)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: object) -> tuple[int, str, str]:
        code = main(["collateral", *map(str, words)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def source(world: Any) -> str:
    return ",".join(f"{kind}:{world.base}?ca={world.ca}" for kind in ("pccs", "kds"))


@pytest.fixture
def evidence(world: Any, tmp_path: Path) -> list[Path]:
    raws = {
        "sgx": world.platform.quote(ENCLAVE, bytes(64)),
        "tdx": td_quote(world.platform, SimulatedTd.of(ENCLAVE), bytes(64)),
        "snp": world.chip.report(SimulatedGuest.of(ENCLAVE), bytes(64))[:1184],
    }
    for name, raw in raws.items():
        (tmp_path / name).write_bytes(raw)
    return [tmp_path / name for name in raws]


def test_collateral_is_fetched_for_evidence(
    run: Any, source: str, evidence: list[Path], tmp_path: Path
) -> None:
    code, out, _ = run("fetch", evidence[0], "--endorser", source)
    assert code == 0
    assert parse_collateral(out.encode()).tcb_info
    code, out, _ = run("fetch", evidence[0], "--endorser", source, "-o", tmp_path / "c.json", "--json")
    assert code == 0
    assert {part["name"] for part in json.loads(out)["parts"]} >= {"TCB info", "PCK CA revocation list"}
    assert parse_collateral((tmp_path / "c.json").read_bytes()).pck_crl


def test_a_folder_for_all_platforms_serves_without_any_server(
    run: Any, world: Any, source: str, evidence: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "collateral"
    code, out, _ = run("bundle", *evidence, *evidence, "--endorser", source, "-o", folder)
    assert code == 0
    fmspc = world.plan.fmspc.hex()
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        ["snp.pem", f"sgx-{fmspc}.json", f"tdx-{fmspc}.json"]
    )
    assert out.count("good until") == 3
    world.down = True
    dcap, others = open_bundle(folder)
    for file, endorser in zip(evidence, (dcap, dcap, others), strict=True):
        assert endorser.collateral_for(parse_evidence(file.read_bytes()))
    code, out, _ = run("fetch", evidence[0], "--endorser", f"bundle:{folder}")
    assert code == 0


def test_two_generations_of_processors_do_not_get_into_one_file(
    run: Any, world: Any, source: str, evidence: list[Path], tmp_path: Path
) -> None:
    spoken_for = [tmp_path / name for name in ("one", "two")]
    for folder in spoken_for:
        assert run("bundle", evidence[2], "--endorser", source, "-o", folder)[0] == 0
        world.plan = type(world.plan)(issued=world.plan.issued - timedelta(days=1))
    first, second = ((folder / "snp.pem").read_bytes() for folder in spoken_for)
    assert _merged(first, first) == first
    with pytest.raises(UsageError, match="one generation"):
        _merged(first, second)


@pytest.mark.parametrize("kind", [0, 2])
def test_show_says_what_there_is_and_that_nobody_verified_it(
    run: Any, world: Any, source: str, evidence: list[Path], tmp_path: Path, kind: int
) -> None:
    file = tmp_path / "collateral"
    run("fetch", evidence[kind], "--endorser", source, "-o", file)
    code, out, _ = run("show", file)
    assert code == 0
    assert out.startswith("NOT verified\n")
    assert f"{world.plan.issued + world.plan.lifetime:%Y-%m-%dT%H:%M:%SZ}" in out
    code, out, _ = run("show", file, "--json")
    assert json.loads(out)["verified"] is False


def test_check_fails_before_something_expires_and_names_it(
    run: Any, world: Any, source: str, evidence: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "collateral"
    run("bundle", *evidence, "--endorser", source, "-o", folder)
    code, out, _ = run("check", folder)
    assert code == 0
    assert f"{world.plan.issued + world.plan.lifetime:%Y-%m-%d}" in out
    assert run("check", folder, "--within", "28d")[0] == 0
    code, out, err = run("check", folder, "--within", "30d", "--json")
    assert code == 1
    assert json.loads(out)["error"]["code"] == "collateral-old"
    assert "TCB info" in err
    assert "snp.pem" in err
    assert "chain" not in err
    assert run("check", folder, "--at", "2020-01-01T00:00:00Z")[0] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("show", "{}/sgx"),
        ("check", "{}"),
        ("check", "{}/missing.json"),
        ("fetch", "{}/sgx", "--endorser", "nobody"),
        ("fetch", "{}/sgx", "--endorser", ","),
        ("fetch", "{}/missing", "--endorser", "pcs"),
        ("check", "{}/sgx", "--at", "noon"),
        ("check", "{}/sgx", "--within", "soon"),
    ],
)
def test_what_makes_no_sense_is_said_and_leaves_nothing(
    run: Any, evidence: list[Path], tmp_path: Path, words: tuple[str, ...]
) -> None:
    before = sorted(tmp_path.iterdir())
    code, _, err = run(*(word.format(tmp_path) for word in words))
    assert code != 0
    assert err.startswith("error [")
    assert "remedy:" in err
    assert sorted(tmp_path.iterdir()) == before


def test_a_server_that_is_down_leaves_no_half_a_folder(
    run: Any, world: Any, source: str, evidence: list[Path], tmp_path: Path
) -> None:
    world.changed["/vcek/v1/Milan/crl"] = lambda answer: (503, {}, b"")
    code, _, err = run("bundle", *evidence, "--endorser", source, "-o", tmp_path / "collateral")
    assert code != 0
    assert "error [endorser:unreachable]" in err
    assert not (tmp_path / "collateral").exists()
