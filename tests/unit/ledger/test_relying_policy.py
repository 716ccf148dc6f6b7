import json

import pytest

from sealmesh.attestation import (
    AMD_GENOA,
    AMD_MILAN,
    AMD_TURIN,
    INTEL,
    Family,
    NitroReference,
    SgxReference,
    SnpReference,
)
from sealmesh.errors.ledger import RelyingPolicyError
from sealmesh.ledger import parse_era_config, parse_policy

SIGNER = {"SignerID": "ab" * 32, "ProductID": 0, "SecurityVersion": 2}
SNP = {"SNP": {"Measurement": "ab" * 48, "MinimumTCB": {"snp": 8}}}
LAB = {"Name": "lab", "SHA256": "ef" * 32}


def test_a_full_policy_is_read() -> None:
    found = parse_policy(
        json.dumps(
            {
                "Coordinator": SIGNER
                | {"AcceptedTCBStatuses": ["OutOfDate"], "AcceptedAdvisories": ["INTEL-SA-1"]},
                "Manifest": "cd" * 32,
                "Relaxations": [],
                "TrustRoots": [{"Name": "lab", "SHA256": "ef" * 32, "Simulated": True}],
            }
        ).encode()
    )
    assert found.coordinator[0].signer_id == b"\xab" * 32
    assert found.coordinator[0].product_id == 0
    assert found.coordinator[0].accepted_tcb_statuses == {"OutOfDate"}
    assert found.manifest_sha256 == b"\xcd" * 32
    assert found.relaxations == frozenset()
    assert [(root.name, root.simulated) for root in found.trust_roots] == [("lab", True)]


def test_intel_is_the_root_unless_another_is_named() -> None:
    assert parse_policy(json.dumps({"Coordinator": {"UniqueID": "00" * 32}}).encode()).trust_roots == (INTEL,)


def test_a_coordinator_may_be_of_any_family() -> None:
    forms = [{"SGX": SIGNER}, SNP, {"Nitro": {"PCRs": {"0": "cd" * 48}}}]
    found = parse_policy(json.dumps({"Coordinator": {"Evidence": forms}}).encode())
    assert [type(reference) for reference in found.coordinator] == [
        SgxReference,
        SnpReference,
        NitroReference,
    ]
    assert found.coordinator[1].measurement == b"\xab" * 48


def test_the_vendors_of_the_named_families_are_the_roots_unless_others_are() -> None:
    policy = {"Coordinator": {"Evidence": [SNP]}}
    assert set(parse_policy(json.dumps(policy).encode()).trust_roots) == {AMD_MILAN, AMD_GENOA, AMD_TURIN}
    named = policy | {"TrustRoots": ["amd-turin", LAB | {"Family": "SNP", "Simulated": True}]}
    turin, lab = parse_policy(json.dumps(named).encode()).trust_roots
    assert turin == AMD_TURIN
    assert (lab.family, lab.simulated) == (Family.SNP, True)


def test_a_root_without_a_family_is_one_for_enclaves() -> None:
    (root,) = parse_policy(json.dumps({"Coordinator": SIGNER, "TrustRoots": [LAB]}).encode()).trust_roots
    assert root.family is Family.SGX


def test_other_accepted_states_reach_intels_families_only() -> None:
    forms = [{"SGX": SIGNER}, {"TDX": {"MRTD": "ab" * 48}}, SNP]
    policy = parse_policy(json.dumps({"Coordinator": {"Evidence": forms}}).encode())
    sgx, tdx, snp = policy.with_tcb(statuses=frozenset({"OutOfDate"})).coordinator
    assert sgx.accepted_tcb_statuses == tdx.accepted_tcb_statuses == {"OutOfDate"}
    assert (sgx.accepted_advisories, snp) == (None, policy.coordinator[2])


def test_an_era_file_is_a_policy_under_intels_root() -> None:
    found = parse_era_config(json.dumps(SIGNER).encode())
    assert (found.coordinator[0].security_version, found.trust_roots) == (2, (INTEL,))


@pytest.mark.parametrize(
    ("oddity", "policy"),
    [
        ("nothing", {}),
        ("no Reference Values", {"Coordinator": {}}),
        ("debug alone", {"Coordinator": {"Debug": True}}),
        ("any product of a signer", {"Coordinator": {"SignerID": "ab" * 32}}),
        ("unknown member", {"Coordinator": SIGNER, "Root": []}),
        ("unknown Reference Value", {"Coordinator": SIGNER | {"MrSigner": "x"}}),
        ("no roots at all", {"Coordinator": SIGNER, "TrustRoots": []}),
        ("root without a fingerprint", {"Coordinator": SIGNER, "TrustRoots": [{"Name": "lab"}]}),
        ("short fingerprint", {"Coordinator": SIGNER, "Manifest": "ab"}),
        ("hex with blanks", {"Coordinator": SIGNER, "Manifest": "ab " * 32}),
        ("product that is no number", {"Coordinator": SIGNER | {"ProductID": "7"}}),
        ("product that is true", {"Coordinator": SIGNER | {"ProductID": True}}),
        ("debug that is a text", {"Coordinator": SIGNER | {"Debug": "no"}}),
        ("statuses that are a text", {"Coordinator": SIGNER | {"AcceptedTCBStatuses": "UpToDate"}}),
        ("a list", []),
        ("no form of Evidence", {"Coordinator": {"Evidence": []}}),
        ("forms that are an object", {"Coordinator": {"Evidence": {"SGX": {}}}}),
        ("a form beside the forms", {"Coordinator": SIGNER | {"Evidence": [SNP]}}),
        ("a form that names no software", {"Coordinator": {"Evidence": [SNP, {"SNP": {"VMPL": 0}}]}}),
        ("a form of no family", {"Coordinator": {"Evidence": [{"SEV": {"Measurement": "ab" * 48}}]}}),
        ("two families in one form", {"Coordinator": {"Evidence": [SNP | {"SGX": SIGNER}]}}),
        ("a short measurement", {"Coordinator": {"Evidence": [{"SNP": {"Measurement": "ab"}}]}}),
        ("a vendor that there is not", {"Coordinator": SIGNER, "TrustRoots": ["amd"]}),
        ("a family that there is not", {"Coordinator": SIGNER, "TrustRoots": [LAB | {"Family": "SEV"}]}),
        ("a family that is a number", {"Coordinator": SIGNER, "TrustRoots": [LAB | {"Family": 1}]}),
        ("a composite's root", {"Coordinator": SIGNER, "TrustRoots": [LAB | {"Family": "composite"}]}),
    ],
)
def test_a_policy_that_is_odd_or_accepts_anything_is_refused(oddity: str, policy) -> None:
    with pytest.raises(RelyingPolicyError):
        parse_policy(json.dumps(policy).encode())
