"""Our verdicts about SGX and TDX Evidence against those of dcap-qvl, on input changed at random."""

import importlib.util
import json
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import dcap_qvl
import pytest

from sealmesh.attestation import Family, TrustRoot, VerifiedEvidence, parse_collateral, parse_evidence, verify
from sealmesh.errors.attestation import AttestationError

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parents[1] / ".." / "shared" / "vectors"
needs_vectors = pytest.mark.skipif(not VECTORS.exists(), reason="shared/ is absent")


def _load(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


mutations = _load("dcap_mutations")
differences = _load("dcap_differences")
Exhibit = Any
MEASUREMENTS = {Family.SGX: ("mr_enclave", "mr_signer"), Family.TDX: ("mr_td", "mr_seam")}


@cache
def forge() -> Any:
    return mutations.Forge(5)


@cache
def simulated(family: Family) -> Exhibit:
    return forge().exhibit(family)


@cache
def recorded() -> list[Exhibit]:
    return mutations.recorded(VECTORS)


def our_verdict(exhibit: Exhibit) -> tuple[str, VerifiedEvidence | None]:
    fingerprint = mutations.fingerprint(exhibit.root)
    roots = [TrustRoot(name="given", family=family, sha256=fingerprint) for family in MEASUREMENTS]
    try:
        collateral = parse_collateral(json.dumps(exhibit.collateral).encode())
        verified = verify(parse_evidence(exhibit.quote), collateral, roots=roots, now=exhibit.now)
    except AttestationError as error:
        return f"refused {error.code}", None
    return f"valid {verified.tcb.status}", verified


def their_verdict(exhibit: Exhibit) -> tuple[str, Any]:
    try:
        collateral = dcap_qvl.QuoteCollateralV3.from_json(json.dumps(exhibit.collateral))
        seconds = int(exhibit.now.timestamp())
        report = dcap_qvl.verify_with_root_ca(exhibit.quote, collateral, exhibit.root, seconds)
    except ValueError as error:
        return f"refused {error}", None
    return f"valid {report.status}", report


def compare(exhibit: Exhibit) -> str:
    """Return what both say, or the name of the difference; fail on one that is not in the list."""
    (ours, verified), (theirs, report) = our_verdict(exhibit), their_verdict(exhibit)
    if ours.startswith("refused") and theirs.startswith("refused"):
        return "both refuse"
    if ours != theirs:
        known = differences.explain(ours, theirs, exhibit.name)
        assert known is not None, f"{exhibit.name}: {ours}, but dcap-qvl: {theirs}"
        return str(known)
    assert verified is not None
    assert list(verified.tcb.advisories) == sorted(set(report.advisory_ids)), exhibit.name
    assert_same_claims(verified, json.loads(report.to_json())["report"])
    return "both accept"


def assert_same_claims(verified: VerifiedEvidence, report: dict[str, Any]) -> None:
    (body,) = report.values()
    said = body.get("base", body)
    for name in (*MEASUREMENTS[verified.family], "report_data"):
        assert getattr(verified.claims, name).hex() == said[name].lower(), name


def forged(random: Random) -> Exhibit:
    """Return a simulated exhibit, changed and signed anew."""
    maker = forge()
    change = random.choice(
        (
            maker.body_signed_anew,
            maker.qe_report_signed_anew,
            maker.document_signed_anew,
            maker.document_signed_anew,
            maker.other_platform,
            maker.revoked,
        )
    )
    return change(random, simulated(random.choice(list(MEASUREMENTS))))


def keyless(random: Random, seeds: list[Exhibit]) -> Exhibit:
    return mutations.changed(random, random.choice(seeds), seeds)


def run(seed: int, count: int, seeds: list[Exhibit]) -> Counter[str]:
    random = Random(seed)
    exhibits = (forged(random) if random.random() < 0.5 else keyless(random, seeds) for _ in range(count))
    return Counter(map(compare, exhibits))


def own_seeds() -> list[Exhibit]:
    return [simulated(family) for family in MEASUREMENTS]


def test_simulated_quotes_are_genuine_to_both() -> None:
    assert {compare(exhibit) for exhibit in own_seeds()} == {"both accept"}


@needs_vectors
def test_recorded_quotes_get_the_same_verdict() -> None:
    outcome = Counter(map(compare, recorded()))
    assert outcome["both accept"] > 10
    assert outcome["both refuse"] > 5


def test_changed_simulated_quotes_get_the_same_verdict() -> None:
    outcome = run(1, 400, own_seeds())
    assert outcome["both accept"] > 40
    assert outcome["both refuse"] > 100


@needs_vectors
def test_changed_recorded_quotes_get_the_same_verdict() -> None:
    random = Random(2)
    seeds = recorded()
    outcome = Counter(compare(keyless(random, seeds)) for _ in range(400))
    assert outcome["both accept"] > 20
    assert outcome["both refuse"] > 100


@needs_vectors
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_thousands_get_the_same_verdict_and_no_entry_of_the_list_is_idle() -> None:
    seeds = [*recorded(), *own_seeds()]
    outcome = Counter(map(compare, seeds)) + run(3, 20_000, seeds)
    assert outcome["both accept"] > 2000
    assert outcome["both refuse"] > 5000
    assert set(differences.DIFFERENCES) <= set(outcome)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("valid UpToDate", "refused Verification failed: ISV enclave report signature is invalid"),
        ("valid UpToDate", "valid OutOfDate"),
        ("valid SWHardeningNeeded", "valid UpToDate"),
        ("valid NotSupported", "valid UpToDate"),
        ("valid UpToDate", "refused Verification failed: TCB status is invalid: Revoked"),
        ("valid UpToDate", "refused CrlExpired { time: UnixTime(8), next_update: UnixTime(7) }"),
        ("valid OutOfDate", "valid UpToDate"),
        ("refused expired:crl", "valid UpToDate"),
        ("refused signature:quote", "valid UpToDate"),
        ("refused revoked:pck", "valid UpToDate"),
    ],
)
def test_difference_that_is_not_in_the_list_is_not_explained(ours: str, theirs: str) -> None:
    assert differences.explain(ours, theirs) is None
