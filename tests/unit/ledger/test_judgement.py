"""A Coordinator of any family is judged by one policy, and refused for what it is not."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha384
from typing import Any

import pytest

from sealmesh.attestation import Family, TrustRoot, encode_composite, runs_in_debug
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    SimulatedGuest,
    SimulatedNitroEnclave,
    SimulatedTd,
    create_chip,
    create_hypervisor,
    create_platform,
    create_vendor,
    issue_collateral,
    issue_td_collateral,
    td_quote,
)
from sealmesh.errors.attestation import AppraisalError, EvidenceFormatError, VerificationError
from sealmesh.ledger import RelyingPolicy, judge_coordinator, parse_policy

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
BOUND = b"\x07" * 32 + bytes(32)
ENCLAVE = SimulatedEnclave(
    unique_id=b"\x01" * 32, signer_id=b"\x02" * 32, product_id=1, security_version=1, debug=False
)
PROGRAM, SIGNER = sha384(ENCLAVE.unique_id).hexdigest(), sha384(ENCLAVE.signer_id).hexdigest()
FORMS: dict[str, dict[str, Any]] = {
    "sgx": {"SGX": {"SignerID": ENCLAVE.signer_id.hex(), "ProductID": 1, "SecurityVersion": 1}},
    "tdx": {"TDX": {"MRTD": sha384(b"sealmesh simulated TD firmware").hexdigest(), "RTMR2": PROGRAM}},
    "snp": {"SNP": {"IDKeyDigest": SIGNER}},
    "nitro": {"Nitro": {"PCRs": {"0": PROGRAM, "8": SIGNER}}},
}


@dataclass(frozen=True)
class Tee:
    root: TrustRoot
    endorsements: bytes
    evidence: Callable[[SimulatedEnclave, bytes], bytes]


@pytest.fixture(scope="module")
def tees() -> dict[str, Tee]:
    vendor = create_vendor(now=NOW, entropy=os.urandom)
    platform = create_platform(vendor, now=NOW, entropy=os.urandom)
    plan = EndorsementPlan(issued=NOW - timedelta(hours=1))
    chip, cloud = create_chip(now=NOW, entropy=os.urandom), create_hypervisor(now=NOW, entropy=os.urandom)
    return {
        "sgx": Tee(vendor.trust_root, issue_collateral(vendor, plan), platform.quote),
        "tdx": Tee(
            vendor.trust_root_for(Family.TDX),
            issue_td_collateral(vendor, plan),
            lambda enclave, data: td_quote(platform, SimulatedTd.of(enclave), data),
        ),
        "snp": Tee(chip.trust_root, b"", lambda enclave, data: chip.report(SimulatedGuest.of(enclave), data)),
        "nitro": Tee(
            cloud.trust_root,
            b"",
            lambda enclave, data: cloud.document(SimulatedNitroEnclave.of(enclave), data, now=NOW),
        ),
    }


def policy(*forms: dict[str, Any], roots: tuple[TrustRoot, ...]) -> RelyingPolicy:
    read = parse_policy(json.dumps({"Coordinator": {"Evidence": forms}}).encode())
    return replace(read, trust_roots=roots)


@pytest.fixture(params=FORMS)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tee(tees: dict[str, Tee], family: str) -> Tee:
    return tees[family]


def judge(tee: Tee, wanted: RelyingPolicy, evidence: bytes, now: datetime = NOW) -> Any:
    return judge_coordinator(evidence, tee.endorsements, wanted, report_data=BOUND, now=now)


def test_a_coordinator_of_each_family_is_accepted_by_its_form(tee: Tee, family: str) -> None:
    found = judge(tee, policy(FORMS[family], roots=(tee.root,)), tee.evidence(ENCLAVE, BOUND))
    assert (found.family.value, found.root) == (family, tee.root)
    assert not runs_in_debug(found.claims)


def test_one_policy_accepts_a_coordinator_that_moves_from_tee_to_tee(tees: dict[str, Tee]) -> None:
    wanted = policy(*FORMS.values(), roots=tuple(tee.root for tee in tees.values()))
    for name, tee in tees.items():
        assert judge(tee, wanted, tee.evidence(ENCLAVE, BOUND)).family.value == name


def test_a_family_that_the_policy_does_not_name_is_refused(
    tees: dict[str, Tee], tee: Tee, family: str
) -> None:
    others = [form for name, form in FORMS.items() if name != family]
    wanted = policy(*others, roots=tuple(other.root for other in tees.values()))
    with pytest.raises(AppraisalError, match=f"Family: found {family}"):
        judge(tee, wanted, tee.evidence(ENCLAVE, BOUND))


def test_other_software_is_refused(tee: Tee, family: str) -> None:
    other = replace(ENCLAVE, unique_id=b"\x09" * 32, signer_id=b"\x08" * 32)
    with pytest.raises(AppraisalError) as caught:
        judge(tee, policy(FORMS[family], roots=(tee.root,)), tee.evidence(other, BOUND))
    assert {"SignerID", "RTMR2", "IDKeyDigest", "PCR0", "PCR8"} & {
        mismatch.field for mismatch in caught.value.mismatches
    }


def test_debug_is_refused_unless_it_is_the_word(tee: Tee, family: str) -> None:
    debug = tee.evidence(replace(ENCLAVE, debug=True), BOUND)
    with pytest.raises(AppraisalError, match="Debug"):
        judge(tee, policy(FORMS[family], roots=(tee.root,)), debug)
    name, values = next(iter(FORMS[family].items()))
    software = {"Debug": True} if name == "Nitro" else values | {"Debug": True}
    if name == "Nitro":  # in debug mode its image is not measured, the signer is
        software |= {"PCRs": {"8": SIGNER}}
    assert runs_in_debug(judge(tee, policy({name: software}, roots=(tee.root,)), debug).claims)


def test_a_simulated_root_counts_only_where_it_is_named(tee: Tee, family: str) -> None:
    wanted = parse_policy(json.dumps({"Coordinator": {"Evidence": [FORMS[family]]}}).encode())
    with pytest.raises(VerificationError) as caught:
        judge(tee, wanted, tee.evidence(ENCLAVE, BOUND))
    wanted_code = {"snp": "root:ark", "nitro": "root:nitro root"}.get(family, "crl sig:root")
    assert caught.value.code == wanted_code


def test_a_root_named_for_another_family_does_not_count(tees: dict[str, Tee], tee: Tee, family: str) -> None:
    borrowed = tuple(
        TrustRoot(name="lab", family=other, sha256=tee.root.sha256, simulated=True)
        for other in Family
        if other.value != family
    )
    with pytest.raises(VerificationError) as caught:
        judge(tee, policy(FORMS[family], roots=borrowed), tee.evidence(ENCLAVE, BOUND))
    assert caught.value.code == "roots:none"


def test_evidence_over_another_certificate_or_nonce_is_refused(tee: Tee, family: str) -> None:
    with pytest.raises(AppraisalError, match="ReportData"):
        judge(tee, policy(FORMS[family], roots=(tee.root,)), tee.evidence(ENCLAVE, b"\x08" * 64))


def test_a_flipped_bit_is_refused(tee: Tee, family: str) -> None:
    raw = bytearray(tee.evidence(ENCLAVE, BOUND))
    raw[raw.index(BOUND[:32])] ^= 1
    with pytest.raises(VerificationError, match="sign"):
        judge(tee, policy(FORMS[family], roots=(tee.root,)), bytes(raw))


def test_a_composite_is_not_a_coordinators_evidence(tees: dict[str, Tee]) -> None:
    parts = [tee.evidence(ENCLAVE, BOUND) for tee in tees.values()]
    with pytest.raises(EvidenceFormatError) as caught:
        judge(
            tees["snp"],
            policy(FORMS["snp"], roots=(tees["snp"].root,)),
            encode_composite([parts[2], parts[3]]),
        )
    assert caught.value.code == "format:coordinator evidence"
