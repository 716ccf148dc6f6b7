"""CPU per verification of Evidence, of every family: cold and warm (the same platform was seen before).

Cold twice for SGX and TDX: nothing seen at all, and a new platform of a kind whose collateral was seen.

SGX and TDX also as ratio to `dcap-qvl`, which has no memory, in alternating rounds of the same run.
"""

import importlib.util
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from types import ModuleType

import dcap_qvl

from benchmarks.table import Cost, Table
from sealmesh.attestation import (
    Family,
    TrustRoot,
    VerificationCache,
    VerifiedEvidence,
    parse_collateral,
    parse_evidence,
    verify,
)
from sealmesh.attestation.dcap import signature_data

COLD_AIM, WARM_AIM = 1.5, 0.6
_TESTS = Path(__file__).resolve().parents[1] / "tests"
_VECTORS = Path(__file__).resolve().parents[1] / ".." / "shared" / "vectors"
_RECORDED = ("sgx/automata-icx-a", "tdx/google-cos-113")
_CALLS, _ROUNDS = 40, 9

Call = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """One DCAP quote with its collateral, for both verifiers."""

    name: str
    quote: bytes
    collateral: bytes
    root: bytes
    fingerprint: bytes
    family: Family
    seconds: int


def verification(table: Table) -> None:
    """Measure and print."""
    mutations, genuine = _load("conformance/dcap_mutations.py"), _load("evidence/genuine.py")
    _against_dcap_qvl(table, _contests(mutations))
    _families(table, genuine)


def _against_dcap_qvl(table: Table, contests: list[Contest]) -> None:
    table.head("verification of DCAP quotes, and its ratio to dcap-qvl")
    for contest in contests:
        first, new, warm, theirs = _alternating(*_dcap_calls(contest))
        table.cost(f"{contest.name}: dcap-qvl", _cost(theirs))
        kinds = (("nothing seen", first, None), ("new platform", new, COLD_AIM), ("warm", warm, WARM_AIM))
        for kind, ours, aim in kinds:
            ratio = median(own / other for own, other in zip(ours, theirs, strict=True))
            judged = f"{ratio:.2f} of dcap-qvl"
            if aim is not None:
                judged += f", aim {aim:g}: {'met' if ratio <= aim else 'MISSED'}"
            table.cost(f"{contest.name}: {kind}", _cost(ours), note=judged)


def _dcap_calls(contest: Contest) -> tuple[Call, Call, Call, Call]:
    """Return ours with three kinds of memory, and dcap-qvl's, which is given its collateral parsed."""
    now = datetime.fromtimestamp(contest.seconds, UTC)
    roots = [TrustRoot(name="given", family=contest.family, sha256=contest.fingerprint)]
    known, memory = parse_collateral(contest.collateral), VerificationCache()
    collateral = dcap_qvl.QuoteCollateralV3.from_json(contest.collateral.decode())

    def cold() -> VerifiedEvidence:
        signature_data.parse_certification.cache_clear()
        return verify(
            parse_evidence(contest.quote), parse_collateral(contest.collateral), roots=roots, now=now
        )

    def new() -> object:
        """Verify, with a memory that has seen the collateral and no platform."""
        signature_data.parse_certification.cache_clear()
        stranger = VerificationCache()
        stranger._endorsements = memory._endorsements
        return verify(parse_evidence(contest.quote), known, roots=roots, now=now, cache=stranger)

    def warm() -> object:
        return verify(parse_evidence(contest.quote), known, roots=roots, now=now, cache=memory)

    def theirs() -> object:
        return dcap_qvl.verify_with_root_ca(contest.quote, collateral, contest.root, contest.seconds)

    warm()  # `memory` has seen the collateral
    return cold, new, warm, theirs


def _families(table: Table, genuine: ModuleType) -> None:
    table.head("verification, per family (simulated Evidence; what has no certificates is never warm)")
    for family in genuine.MAKERS:
        evidence, memory = genuine.genuine(family), VerificationCache()
        cold, warm = _alternating(evidence.verify, lambda e=evidence, m=memory: e.verify(cache=m))
        table.cost(f"{family}: cold", _cost(cold))
        table.cost(f"{family}: warm", _cost(warm))


def _alternating(*calls: Call) -> list[list[float]]:
    """Return the CPU seconds per call of each, in rounds that take turns."""
    figures: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(_ROUNDS):
        for call, own in zip(calls, figures, strict=True):
            start = time.process_time()
            for _ in range(_CALLS):
                call()
            own.append((time.process_time() - start) / _CALLS)
    return figures


def _cost(rounds: list[float]) -> Cost:
    return Cost(quiet=min(rounds), middle=median(rounds))


def _contests(mutations: ModuleType) -> list[Contest]:
    """Return simulated quotes, and recorded ones of real hardware where they lie beside the repository."""
    forge = mutations.Forge(5)
    exhibits = [forge.exhibit(family) for family in (Family.SGX, Family.TDX)]
    if _VECTORS.exists():
        exhibits += (exhibit for exhibit in mutations.recorded(_VECTORS) if exhibit.name in _RECORDED)
    return [
        Contest(
            name=exhibit.name,
            quote=exhibit.quote,
            collateral=json.dumps(exhibit.collateral).encode(),
            root=exhibit.root,
            fingerprint=mutations.fingerprint(exhibit.root),
            family=exhibit.family,
            seconds=int(exhibit.now.timestamp()),
        )
        for exhibit in exhibits
    ]


def _load(path: str) -> ModuleType:
    """Return a module of the tests: they make the Evidence."""
    name = f"benchmarks_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, _TESTS / path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
