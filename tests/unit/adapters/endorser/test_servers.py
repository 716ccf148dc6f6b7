"""Collateral from servers with the interfaces of Intel and AMD: enough to verify, refused when it is not."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sealmesh.adapters.endorser import Endorser, SeveralEndorsers
from sealmesh.adapters.endorser.choice import open_endorsers, read_endorsers
from sealmesh.adapters.endorser.item_cache import LONGEST_PAUSE
from sealmesh.attestation import Family, UnverifiedEvidence, parse_endorsements, parse_evidence, verify
from sealmesh.attestation.simulated import (
    SimulatedEnclave,
    SimulatedGuest,
    SimulatedTd,
    create_chip,
    td_quote,
)
from sealmesh.coordinator.examination import Examiner
from sealmesh.errors.attestation import (
    AttestationError,
    EndorserError,
    EndorserUnreachable,
    VerificationError,
)
from sealmesh.server.configuration import read_configuration
from sealmesh.server.evidence import build_evidence

ENCLAVE = SimulatedEnclave(
    unique_id=b"\x01" * 32, signer_id=b"\x02" * 32, product_id=1, security_version=1, debug=False
)
DATA = bytes(64)
SGX = "/sgx/certification/v4"


@pytest.fixture
def endorser(world: Any, tmp_path: Path) -> Callable[..., Endorser]:
    def make(kind: str = "pccs", path: str = "", *, cache: bool = True) -> Endorser:
        (choice,) = read_endorsers(f"{kind}:{world.base}{path}?ca={world.ca}")
        return SeveralEndorsers(
            open_endorsers(choice, tmp_path / "cache" if cache else None, clock=world.clock)
        )

    return make


def sgx(world: Any) -> UnverifiedEvidence:
    return parse_evidence(world.platform.quote(ENCLAVE, DATA))


def tdx(world: Any) -> UnverifiedEvidence:
    return parse_evidence(td_quote(world.platform, SimulatedTd.of(ENCLAVE), DATA))


def snp(world: Any, *, table: bool = False) -> UnverifiedEvidence:
    raw = world.chip.report(SimulatedGuest.of(ENCLAVE), DATA)
    return parse_evidence(raw if table else raw[:1184])


def judge(world: Any, evidence: UnverifiedEvidence, raw: bytes) -> Any:
    vendor = world.platform.vendor
    roots = (vendor.trust_root, vendor.trust_root_for(Family.TDX), world.chip.trust_root)
    return verify(evidence, parse_endorsements(evidence, raw), roots=roots, now=world.now)


def settled(condition: Callable[[], bool]) -> None:
    """Wait for a fetch in the background."""
    for thread in threading.enumerate():
        if thread.name == "endorsements":
            thread.join(60)
    assert condition()


@pytest.mark.parametrize("path", ["", "/sgx/certification/v4/", "/sgx/certification/v3"])
def test_collateral_of_a_caching_service_verifies_a_quote(world: Any, endorser: Any, path: str) -> None:
    evidence = sgx(world)
    verified = judge(world, evidence, endorser("pccs", path).collateral_for(evidence))
    assert verified.family is Family.SGX
    version = "v3" if path.endswith("v3") else "v4"
    assert set(world.asked) == {
        f"/sgx/certification/{version}/{name}" for name in ("rootcacrl", "pckcrl", "tcb", "qe/identity")
    }


def test_collateral_for_a_td_comes_from_the_tdx_paths(world: Any, endorser: Any) -> None:
    evidence = tdx(world)
    assert judge(world, evidence, endorser().collateral_for(evidence)).family is Family.TDX
    assert world.asked["/tdx/certification/v4/tcb"] == world.asked["/tdx/certification/v4/qe/identity"] == 1


def test_version_3_has_nothing_for_tds(world: Any, endorser: Any) -> None:
    with pytest.raises(EndorserError, match="version 3"):
        endorser("pccs", "/sgx/certification/v3").collateral_for(tdx(world))
    assert not world.asked


def test_the_vcek_is_asked_for_by_chip_and_reported_tcb(world: Any, endorser: Any) -> None:
    evidence = snp(world)
    assert judge(world, evidence, endorser("kds").collateral_for(evidence)).family is Family.SNP
    chip = world.chip.chip_id.hex()
    wanted = f"/vcek/v1/Milan/{chip}?blSPL=01&teeSPL=01&snpSPL=01&ucodeSPL=01"
    assert sorted(world.queries) == sorted(["/vcek/v1/Milan/cert_chain", "/vcek/v1/Milan/crl", wanted])


def test_a_report_with_its_certificates_gets_the_revocation_list_only(world: Any, endorser: Any) -> None:
    evidence = snp(world, table=True)
    collateral = parse_endorsements(evidence, endorser("kds").collateral_for(evidence))
    assert collateral.leaf is None
    assert isinstance(collateral.crl, bytes)
    assert sorted(world.queries) == ["/vcek/v1/Milan/cert_chain", "/vcek/v1/Milan/crl"]


def test_a_report_under_another_root_is_not_for_this_server(world: Any, endorser: Any) -> None:
    other = create_chip(now=world.now, entropy=os.urandom)
    with pytest.raises(EndorserError, match="root"):
        endorser("kds").collateral_for(parse_evidence(other.report(SimulatedGuest.of(ENCLAVE), DATA)))


def test_a_chip_that_nobody_knows_is_refused_and_not_asked_for_again_at_once(
    world: Any, endorser: Any
) -> None:
    other = create_chip(now=world.now, entropy=os.urandom)
    unknown = parse_evidence(other.report(SimulatedGuest.of(ENCLAVE), DATA)[:1184])
    kds = endorser("kds")
    for _ in range(3):
        with pytest.raises(EndorserError, match="status 404") as caught:
            kds.collateral_for(unknown)
        assert not isinstance(caught.value, EndorserUnreachable)
    assert world.asked[f"/vcek/v1/Milan/{other.chip_id.hex()}"] == 1
    kds.collateral_for(snp(world))


def test_what_was_fetched_is_not_fetched_again_even_by_another_process(world: Any, endorser: Any) -> None:
    first = endorser().collateral_for(sgx(world))
    before = world.asked.total()
    assert endorser().collateral_for(sgx(world)) == first
    assert world.asked.total() == before == 4


def test_many_callers_at_once_make_one_fetch(world: Any, endorser: Any) -> None:
    world.gate = threading.Event()
    asked, evidence = endorser(), sgx(world)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(asked.collateral_for, evidence) for _ in range(8)]
        world.gate.set()
        assert len({answer.result() for answer in answers}) == 1
    assert set(world.asked.values()) == {1}


@pytest.mark.parametrize("restarted", [False, True])
def test_a_server_that_is_down_stops_nobody_while_the_data_is_valid(
    world: Any, endorser: Any, restarted: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = endorser()
    asked.collateral_for(sgx(world))
    world.down = True
    asked = endorser() if restarted else asked
    for days in (2, 10, 28):
        world.now = world.plan.issued + timedelta(days=days)
        assert judge(world, sgx(world), asked.collateral_for(sgx(world)))
        settled(lambda: not _flying())
    assert world.asked.total() > 4
    assert "endorsements not renewed" in capsys.readouterr().err


def test_a_server_that_hangs_delays_nobody_while_the_data_is_valid(world: Any, endorser: Any) -> None:
    asked = endorser()
    asked.collateral_for(sgx(world))
    world.gate = threading.Event()
    world.now += timedelta(days=5)
    assert judge(world, sgx(world), asked.collateral_for(sgx(world)))
    assert _flying()
    world.gate.set()
    settled(lambda: not _flying())


def test_nothing_is_used_after_its_own_date(world: Any, endorser: Any) -> None:
    asked = endorser()
    asked.collateral_for(sgx(world))
    world.down = True
    world.now = world.plan.issued + world.plan.lifetime + timedelta(seconds=1)
    with pytest.raises(EndorserUnreachable, match="status 503"):
        asked.collateral_for(sgx(world))
    with pytest.raises(EndorserUnreachable):
        endorser().collateral_for(sgx(world))


def test_old_data_is_fetched_anew_behind_the_callers_back(world: Any, endorser: Any) -> None:
    asked = endorser()
    first = asked.collateral_for(sgx(world))
    world.plan = type(world.plan)(issued=world.now + timedelta(days=1))
    world.now += timedelta(days=1, minutes=1)
    assert asked.collateral_for(sgx(world)) == first
    settled(lambda: not _flying())
    second = asked.collateral_for(sgx(world))
    assert second != first
    assert judge(world, sgx(world), second)
    assert set(world.asked.values()) == {2}


def test_older_data_does_not_replace_what_is_kept(world: Any, endorser: Any) -> None:
    asked = endorser()
    first = asked.collateral_for(sgx(world))
    world.plan = type(world.plan)(issued=world.plan.issued - timedelta(days=3))
    world.now += timedelta(days=1, minutes=1)
    asked.collateral_for(sgx(world))
    settled(lambda: not _flying())
    assert world.asked[f"{SGX}/tcb"] == 2
    assert asked.collateral_for(sgx(world)) == first
    assert endorser().collateral_for(sgx(world)) == first


def test_a_server_that_fails_is_left_alone_for_longer_and_longer(world: Any, endorser: Any) -> None:
    world.down = True
    asked, attempts = endorser(), []
    for _ in range(400):
        with pytest.raises(EndorserUnreachable):
            asked.collateral_for(sgx(world))
        attempts.append(world.asked.total())
        world.now += timedelta(seconds=2)
    assert attempts[0] == 1
    assert attempts[-1] <= 11  # 2, 4, 8 ... 256, 300 seconds
    world.down = False
    world.now += LONGEST_PAUSE
    assert judge(world, sgx(world), asked.collateral_for(sgx(world)))


BAD_ANSWERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "no issuer chain": (f"{SGX}/tcb", lambda answer: (200, {}, answer[2])),
    "another document": (f"{SGX}/tcb", lambda answer: (200, answer[1], b'{"tcbInfo":{},"signature":"00"}')),
    "not JSON": (f"{SGX}/qe/identity", lambda answer: (200, answer[1], b"<html>")),
    "deeply nested": (
        f"{SGX}/qe/identity",
        lambda answer: (200, answer[1], b'{"enclaveIdentity":' + b"[" * 100_000),
    ),
    "no revocation list": (f"{SGX}/pckcrl", lambda answer: (200, answer[1], b"\x30\x03\x02\x01\x00")),
    "too long": (f"{SGX}/pckcrl", lambda answer: (200, answer[1], bytes(3 * 1024 * 1024))),
    "a redirect": (f"{SGX}/pckcrl", lambda answer: (302, {"Location": "https://127.0.0.1:1/"}, b"")),
    "nothing": (f"{SGX}/rootcacrl", lambda answer: (200, {}, b"")),
    "not there": (f"{SGX}/rootcacrl", lambda answer: (404, {}, b"")),
    "a broken chain": (
        f"{SGX}/pckcrl",
        lambda answer: (200, {"SGX-PCK-CRL-Issuer-Chain": "%2d%2d"}, answer[2]),
    ),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_an_answer_that_is_no_good_is_not_kept(world: Any, endorser: Any, name: str, tmp_path: Path) -> None:
    path, change = BAD_ANSWERS[name]
    world.changed[path] = change
    with pytest.raises(EndorserUnreachable) as caught:
        endorser().collateral_for(sgx(world))
    error = caught.value
    assert (error.code, bool(error.found), bool(error.wanted)) == ("endorser:unreachable", True, True)
    kept = {file.stem for file in tmp_path.rglob("*.json")}
    word = {"tcb": "tcb", "identity": "identity", "pckcrl": "pck", "rootcacrl": "root"}[
        path.rsplit("/", 1)[1]
    ]
    assert not any(word in key for key in kept)
    world.changed.clear()
    assert judge(world, sgx(world), endorser().collateral_for(sgx(world)))


def test_a_changed_text_is_handed_on_as_it_came_and_refused_by_the_verifier(
    world: Any, endorser: Any
) -> None:
    world.changed[f"{SGX}/tcb"] = lambda a: (200, a[1], a[2].replace(b"UpToDate", b"UpT0Date", 0) + b"\n")
    assert judge(world, sgx(world), endorser(cache=False).collateral_for(sgx(world)))
    world.changed[f"{SGX}/tcb"] = lambda a: (200, a[1], a[2].replace(b'"svn":1}', b'"svn":0}', 1))
    raw = endorser(cache=False).collateral_for(sgx(world))
    with pytest.raises(VerificationError) as caught:
        judge(world, sgx(world), raw)
    assert caught.value.code == "signature:tcb_info"


def test_a_file_in_the_cache_that_was_damaged_is_fetched_again(
    world: Any, endorser: Any, tmp_path: Path
) -> None:
    endorser().collateral_for(sgx(world))
    for count, file in enumerate(sorted(tmp_path.rglob("*.json"))):
        file.write_bytes((b"", b"[]", b'{"headers":{},"body":"!","fetched":1}', b"\xff" * 9)[count])
    assert judge(world, sgx(world), endorser().collateral_for(sgx(world)))
    assert set(world.asked.values()) == {2}


def test_a_server_that_nobody_vouches_for_gets_no_question(world: Any) -> None:
    (choice,) = read_endorsers(f"pccs:{world.base}")
    (stranger,) = open_endorsers(choice, None, clock=world.clock)
    with pytest.raises(EndorserUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.collateral_for(sgx(world))
    assert not world.asked


def test_evidence_that_brings_its_certificates_is_not_let_in_without_the_revocation_list(
    world: Any, endorser: Any
) -> None:
    examiner = Examiner(endorser=endorser("kds"), roots=(world.chip.trust_root,))
    raw = snp(world, table=True).raw
    world.down = True
    refusal = examiner.examine(raw, world.now)
    assert isinstance(refusal, AttestationError)
    assert refusal.code == "endorser:unreachable"
    world.down = False
    world.now += LONGEST_PAUSE
    assert not isinstance(examiner.examine(raw, world.now), AttestationError)


def test_a_coordinator_asks_the_servers_that_its_configuration_names(world: Any, tmp_path: Path) -> None:
    configuration = read_configuration(
        {"attester": f"simulated:{tmp_path / 'platform'}", "endorser-cache": str(tmp_path / "cache")},
        {"SEALMESH_ENDORSER": f"pccs:{world.base}?ca={world.ca},kds:{world.base}?ca={world.ca}"},
    )
    endorser = build_evidence(configuration).endorser
    for evidence in (sgx(world), snp(world)):
        assert judge(world, evidence, endorser.collateral_for(evidence))
    port = world.base.rpartition(":")[2]
    assert {file.parent.name for file in (tmp_path / "cache").rglob("*.json")} == {
        f"pccs-127.0.0.1_{port}",
        f"kds-127.0.0.1_{port}",
    }


@pytest.mark.parametrize(
    "text",
    [
        "pccs",
        "bundle:",
        "pcs:http://localhost",
        "pcs:https://host/sgx/certification/v5/",
        "kds:https://host/sgx/certification/v4/",
        "pcs:https://user@host",
        "ftp:https://host",
        "pcs:https://host?x=1",
    ],
)
def test_a_server_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="pccs:URL"):
        read_endorsers(text)


def test_a_cache_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (choice,) = read_endorsers("pcs")
    with pytest.raises(EndorserError, match="endorser-cache"):
        open_endorsers(choice, tmp_path / "file")


def test_a_ca_that_cannot_be_read_is_said_at_the_start(tmp_path: Path) -> None:
    (choice,) = read_endorsers(f"pcs:https://localhost?ca={tmp_path / 'missing.pem'}")
    with pytest.raises(EndorserError, match="missing"):
        open_endorsers(choice, None)


def _flying() -> bool:
    return any(thread.name == "endorsements" for thread in threading.enumerate())
