"""What a Marble accepts of its Coordinator's Evidence, here of SNP: only what is over this root and nonce."""

import json
from collections.abc import Callable
from hashlib import sha256, sha384
from typing import Any

import pytest

from sealmesh.adapters.clock import system_clock, system_entropy
from sealmesh.attestation import encode_composite
from sealmesh.attestation.simulated import SimulatedEnclave, SimulatedGuest, create_chip
from sealmesh.errors.marble import CoordinatorRefused
from sealmesh.ledger import RelyingPolicy, parse_policy
from sealmesh.marble.verification import verify_coordinator_evidence

NOW = system_clock().replace(microsecond=0)
CHIP = create_chip(now=NOW, entropy=system_entropy)
OTHER_CHIP = create_chip(now=NOW, entropy=system_entropy)
ENCLAVE = SimulatedEnclave(
    unique_id=b"\x01" * 32, signer_id=b"\x02" * 32, product_id=1, security_version=1, debug=False
)
ROOT, NONCE = b"the root certificate that came with it", b"\x05" * 32
FORM = {"SNP": {"Measurement": sha384(ENCLAVE.unique_id).hexdigest(), "MinimumTCB": {"snp": 1}}}


def policy(*forms: dict[str, Any], sha: bytes = CHIP.trust_root.sha256, family: str = "snp") -> RelyingPolicy:
    root = {"Name": "lab", "SHA256": sha.hex(), "Family": family, "Simulated": True}
    document = {"Coordinator": {"Evidence": forms or (FORM,)}, "TrustRoots": [root]}
    return parse_policy(json.dumps(document).encode())


def report(root: bytes = ROOT, nonce: bytes = NONCE, *, chip: Any = CHIP, **changes: Any) -> bytes:
    enclave = SimulatedEnclave(
        **{name: changes.get(name, getattr(ENCLAVE, name)) for name in ENCLAVE.__dataclass_fields__}
    )
    bound = sha256(root + nonce).digest().ljust(64, b"\0")
    return bytes(chip.report(SimulatedGuest.of(enclave), bound))


def judge(evidence: bytes, wanted: RelyingPolicy) -> None:
    verify_coordinator_evidence(evidence, b"", root=ROOT, nonce=NONCE, policy=wanted, now=system_clock())


def test_its_own_evidence_is_accepted() -> None:
    judge(report(), policy())


ATTACKS: dict[str, tuple[Callable[[], bytes], RelyingPolicy, str]] = {
    "replayed with another certificate": (lambda: report(root=b"another"), policy(), "ReportData"),
    "replayed for another nonce": (lambda: report(nonce=b"\x06" * 32), policy(), "ReportData"),
    "another measurement": (lambda: report(unique_id=b"\x09" * 32), policy(), "Measurement"),
    "debug": (lambda: report(debug=True), policy(), "Debug"),
    "another chip's vendor": (lambda: report(chip=OTHER_CHIP), policy(), "root"),
    "a simulated root that nobody named": (report, parse_policy(json.dumps({
        "Coordinator": {"Evidence": [FORM]}}).encode()), "root"),
    "a root named for enclaves": (report, policy(family="sgx"), "no trust root for snp"),
    "another family than the wanted": (report, policy({"SGX": {"UniqueID": "ab" * 32}}), "Family"),
    "nothing": (lambda: b"", policy(), "proves nothing"),
    "garbage": (lambda: b"\xff" * 500, policy(), "not the one"),
    "cut off": (lambda: report()[:-1], policy(), "not the one"),
    "two pieces": (lambda: encode_composite([report(), report()]), policy(), "one family"),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_anything_else_is_refused(attack: str) -> None:
    evidence, wanted, word = ATTACKS[attack]
    with pytest.raises(CoordinatorRefused) as caught:
        judge(evidence(), wanted)
    assert word in f"{caught.value.message} {caught.value.found} {caught.value.wanted}"
    assert caught.value.code == "marble.coordinator-refused"
