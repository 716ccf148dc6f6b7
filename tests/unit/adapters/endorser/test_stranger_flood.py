"""Attack: Evidence of platforms that nobody has seen, to make the Coordinator ask vendors without end."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sealmesh.adapters.endorser import SeveralEndorsers
from sealmesh.adapters.endorser.choice import open_endorsers, read_endorsers
from sealmesh.adapters.endorser.fetch_budget import DEFAULT_LIMIT, WINDOW, FetchBudget
from sealmesh.attestation import Family, VerifiedEvidence
from sealmesh.attestation.simulated import (
    SimulatedEnclave,
    SimulatedGuest,
    SimulatedTd,
    create_platform,
    create_vendor,
    td_quote,
)
from sealmesh.coordinator.examination import Examiner
from sealmesh.errors import Kind
from sealmesh.errors.attestation import EndorserExhausted
from sealmesh.errors.configuration import ConfigurationError
from sealmesh.server.configuration import read_configuration

LIMIT, FLOOD = 5, 40
ENCLAVE = SimulatedEnclave(unique_id=b"\1" * 32, signer_id=b"\2" * 32, product_id=1, security_version=1)
DATA = bytes(64)
OF_ANY_PLATFORM = ("rootcacrl", "pckcrl", "qe/identity", "cert_chain", "crl")


@pytest.fixture
def examiner(world: Any, tmp_path: Path) -> Examiner:
    """What a Coordinator judges Evidence with, on a server of Intel's shape and one of AMD's."""
    endorsers = [
        endorser
        for choice in read_endorsers(f"pccs:{world.base}?ca={world.ca},kds:{world.base}?ca={world.ca}")
        for endorser in open_endorsers(choice, tmp_path, limit=LIMIT, clock=world.clock)
    ]
    vendor = world.platform.vendor
    roots = (vendor.trust_root, vendor.trust_root_for(Family.TDX), world.chip.trust_root)
    return Examiner(endorser=SeveralEndorsers(endorsers), roots=roots)


def honest(world: Any) -> dict[str, bytes]:
    return {
        "sgx": world.platform.quote(ENCLAVE, DATA),
        "tdx": td_quote(world.platform, SimulatedTd.of(ENCLAVE), DATA),
        "snp": world.chip.report(SimulatedGuest.of(ENCLAVE), DATA)[:1184],
    }


def made_up_quotes(world: Any) -> Iterator[bytes]:
    """Quotes of platforms with a random FMSPC, under a vendor of the attacker's own."""
    vendor = create_vendor(now=world.now, entropy=os.urandom)
    while True:
        platform = create_platform(vendor, now=world.now, entropy=os.urandom, fmspc=os.urandom(6))
        yield platform.quote(ENCLAVE, DATA)


def made_up_tds(world: Any) -> Iterator[bytes]:
    vendor = create_vendor(now=world.now, entropy=os.urandom)
    while True:
        platform = create_platform(vendor, now=world.now, entropy=os.urandom, fmspc=os.urandom(6))
        yield td_quote(platform, SimulatedTd.of(ENCLAVE), DATA)


def made_up_reports(world: Any) -> Iterator[bytes]:
    """Reports of random chips; their signature is looked at only when the certificate is there."""
    genuine = honest(world)["snp"]
    while True:
        yield genuine[:0x1A0] + os.urandom(64) + genuine[0x1E0:]


FLOODS: dict[str, Callable[[Any], Iterator[bytes]]] = {
    "sgx": made_up_quotes,
    "tdx": made_up_tds,
    "snp": made_up_reports,
}


def fetched_for_one_platform(world: Any) -> int:
    return sum(count for path, count in world.asked.items() if not path.endswith(OF_ANY_PLATFORM))


def refusals(examiner: Examiner, raws: list[bytes], world: Any) -> list[str]:
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda raw: examiner.examine(raw, world.now), raws))
    assert not any(isinstance(verdict, VerifiedEvidence) for verdict in verdicts)
    return [verdict.code for verdict in verdicts]  # type: ignore[union-attr]


@pytest.mark.parametrize("family", FLOODS)
def test_a_flood_of_made_up_platforms_makes_few_fetches_and_stops_nobody_who_is_known(
    world: Any, examiner: Examiner, family: str
) -> None:
    for raw in honest(world).values():
        assert isinstance(examiner.examine(raw, world.now), VerifiedEvidence)
    before, stranger = world.asked.total(), FLOODS[family](world)
    codes: list[str] = []
    for _ in range(4):
        codes += refusals(examiner, [next(stranger) for _ in range(FLOOD // 4)], world)
        for raw in honest(world).values():
            assert isinstance(examiner.examine(raw, world.now), VerifiedEvidence)
    assert world.asked.total() - before == LIMIT - 1  # one was spent on the honest one
    assert codes.count("endorser:limit") == FLOOD - (LIMIT - 1)


@pytest.mark.parametrize("family", FLOODS)
def test_the_refusal_names_the_family_and_what_to_do(world: Any, examiner: Examiner, family: str) -> None:
    stranger = FLOODS[family](world)
    refusals(examiner, [next(stranger) for _ in range(LIMIT)], world)
    refusal = examiner.examine(next(stranger), world.now)
    assert isinstance(refusal, EndorserExhausted)
    assert (refusal.code, refusal.kind) == ("endorser:limit", Kind.UNAVAILABLE)
    assert f"family {family}" in refusal.message
    assert refusal.found == f"{LIMIT} fetches spent, the next in {WINDOW.total_seconds() / LIMIT:.0f} seconds"
    assert "--endorser-limit" in refusal.remedy


def test_a_flood_of_one_family_leaves_the_others_their_first_fetch(world: Any, examiner: Examiner) -> None:
    stranger = FLOODS["snp"](world)
    assert "endorser:limit" in refusals(examiner, [next(stranger) for _ in range(FLOOD)], world)
    for family in ("sgx", "tdx"):
        assert isinstance(examiner.examine(honest(world)[family], world.now), VerifiedEvidence)


def test_an_unknown_honest_platform_is_refused_during_the_flood_and_admitted_after_it(
    world: Any, examiner: Examiner
) -> None:
    stranger = FLOODS["snp"](world)
    refusals(examiner, [next(stranger) for _ in range(FLOOD)], world)
    asked = world.asked.total()
    refusal = examiner.examine(honest(world)["snp"], world.now)
    assert isinstance(refusal, EndorserExhausted)
    assert world.asked.total() == asked
    world.now += WINDOW / LIMIT + timedelta(seconds=1)
    assert isinstance(examiner.examine(honest(world)["snp"], world.now), VerifiedEvidence)


def test_what_was_fetched_before_is_renewed_without_a_token(world: Any, examiner: Examiner) -> None:
    """Also when it expired meanwhile: how many are known is bounded by the tokens they once cost."""
    raw = honest(world)["sgx"]
    assert isinstance(examiner.examine(raw, world.now), VerifiedEvidence)
    world.plan = type(world.plan)(issued=world.now + timedelta(days=40))
    world.now += timedelta(days=41)
    stranger = FLOODS["sgx"](world)
    refusals(examiner, [next(stranger) for _ in range(FLOOD)], world)
    assert isinstance(examiner.examine(raw, world.now), VerifiedEvidence)


def test_the_same_made_up_platform_many_times_is_one_fetch(world: Any, examiner: Examiner) -> None:
    raw = next(FLOODS["snp"](world))
    assert set(refusals(examiner, [raw] * FLOOD, world)) == {"format:snp collateral"}
    assert fetched_for_one_platform(world) == 1


def test_a_clock_that_is_set_back_fills_no_bucket(world: Any) -> None:
    budget = FetchBudget(2, world.clock)
    for _ in range(2):
        budget.spend(Family.SNP)
    world.now -= timedelta(days=1)
    with pytest.raises(EndorserExhausted):
        budget.spend(Family.SNP)
    world.now += WINDOW
    budget.spend(Family.SNP)


def test_the_limit_is_a_setting() -> None:
    attester = {"attester": "simulated"}
    assert read_configuration(attester, {}).endorser_limit == DEFAULT_LIMIT
    assert read_configuration(attester, {"SEALMESH_ENDORSER_LIMIT": "7"}).endorser_limit == 7
    for text in ("0", "-1", "many", "1e3"):
        with pytest.raises(ConfigurationError, match="from 1"):
            read_configuration({**attester, "endorser-limit": text}, {})
