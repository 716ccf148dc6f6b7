import json

import pytest

from sealmesh.attestation import INTEL
from sealmesh.errors.ledger import RelyingPolicyError
from sealmesh.ledger import parse_era_config, parse_policy

SIGNER = {"SignerID": "ab" * 32, "ProductID": 0, "SecurityVersion": 2}


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
    assert found.coordinator.signer_id == b"\xab" * 32
    assert found.coordinator.product_id == 0
    assert found.coordinator.accepted_tcb_statuses == {"OutOfDate"}
    assert found.manifest_sha256 == b"\xcd" * 32
    assert found.relaxations == frozenset()
    assert [(root.name, root.simulated) for root in found.trust_roots] == [("lab", True)]


def test_intel_is_the_root_unless_another_is_named() -> None:
    assert parse_policy(json.dumps({"Coordinator": {"UniqueID": "00" * 32}}).encode()).trust_roots == (INTEL,)


def test_an_era_file_is_a_policy_under_intels_root() -> None:
    found = parse_era_config(json.dumps(SIGNER).encode())
    assert (found.coordinator.security_version, found.trust_roots) == (2, (INTEL,))


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
    ],
)
def test_a_policy_that_is_odd_or_accepts_anything_is_refused(oddity: str, policy) -> None:
    with pytest.raises(RelyingPolicyError):
        parse_policy(json.dumps(policy).encode())
