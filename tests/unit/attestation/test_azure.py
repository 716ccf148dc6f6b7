"""Azure confidential VMs: each link of the chain, broken (real ones are vectors)."""

import importlib.util
import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.attestation import (
    AzureClaims,
    AzureCollateral,
    AzureReference,
    SnpReference,
    TcbStatus,
    TdxReference,
    Unchecked,
    VerifiedEvidence,
    appraise,
    parse_evidence,
    verify,
)
from sealmesh.attestation.simulated import SimulatedGuest, SimulatedTd
from sealmesh.attestation.tpm import Bank
from sealmesh.errors.attestation import AppraisalError, AttestationError


def _load(name: str) -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "evidence" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"evidence_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


evidence, azure, tpm = _load("genuine"), _load("azure"), _load("tpm")
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def vm(**changes: Any) -> Any:
    return evidence.machines().azure_snp().but(**changes)


def td_vm(**changes: Any) -> Any:
    return evidence.machines().azure_tdx().but(**changes)


def checked(made: Any, *, collateral: Any = None, **changes: Any) -> VerifiedEvidence:
    family = "azure-tdx" if made.quote else "azure"
    own = evidence.genuine(family)
    return verify(
        parse_evidence(made.encode()),
        replace(own.collateral if collateral is None else collateral, **changes),
        roots=own.roots,
        now=evidence.NOW,
    )


def refusal(made: Any, **how: Any) -> str:
    with pytest.raises(AttestationError) as caught:
        checked(made, **how)
    return caught.value.code


def test_vm_on_snp_gives_the_claims_of_all_layers() -> None:
    claims = checked(vm()).claims
    assert isinstance(claims, AzureClaims)
    assert claims.guest.measurement == SimulatedGuest.of(evidence.PROGRAM).measurement
    assert claims.pcrs == {Bank.SHA256: azure.PCRS}
    assert claims.vm_configuration == {"secure-boot": True}
    assert claims.nonce == b"azure"


def test_vm_on_tdx_has_its_tcb_judged() -> None:
    assert checked(td_vm()).tcb.status is TcbStatus.UP_TO_DATE


def test_vm_on_tdx_without_collateral_is_genuine_and_never_accepted() -> None:
    verified = checked(td_vm(), hardware=Unchecked())
    assert verified.tcb.status is TcbStatus.NOT_JUDGED
    td = SimulatedTd.of(evidence.PROGRAM)
    reference = AzureReference(
        paravisor=TdxReference(mr_td=td.mr_td, accepted_tcb_statuses=frozenset(TcbStatus)), pcrs=azure.PCRS
    )
    with pytest.raises(AppraisalError) as caught:
        appraise(verified, reference, report_data=b"azure")
    assert {mismatch.field for mismatch in caught.value.mismatches} == {"Paravisor.TCBStatus"}


def test_signature_counts_also_without_collateral() -> None:
    forged = lambda data: _flip(td_vm().quote(data), 200)  # noqa: E731
    report = lambda data: azure.td_report(forged(data))  # noqa: E731
    assert refusal(td_vm(quote=forged, report=report), hardware=Unchecked()) == "signature:quote"


def _flip(raw: bytes, position: int) -> bytes:
    forged = bytearray(raw)
    forged[position] ^= 1
    return bytes(forged)


def other_attest(**changes: Any) -> Any:
    return lambda pcrs: tpm.Quote(pcrs={0xB: pcrs}, **{"nonce": b"azure", **changes}).attest


CLAIMS = azure.runtime_claims()
ATTACKS: list[tuple[str, dict[str, Any], str]] = [
    ("claims that the hardware does not vouch for", {"bound": sha256(b"others").digest()},
     "binding:runtime claims"),
    ("more than the digest in the report data", {"bound": sha256(b"x").digest() + b"\1"},
     "binding:runtime claims"),
    ("hardware report that was changed", {"report": lambda d: _flip(vm().report(d), 0x90)},
     "signature:report"),
    ("certificate of another chip", {"vcek": evidence.machines().chip.ask}, "chain:length"),
    ("quote by another key", {"key": STRANGER}, "signature:quote"),
    ("claims with another key", {"claims": azure.runtime_claims(STRANGER)}, "signature:quote"),
    ("values that were not quoted", {"attest": other_attest(digest=bytes(32))}, "pcr digest"),
    ("quote of one register", {"attest": other_attest(quoted=tpm.selection([(0xB, [0])]))}, "pcr selection"),
    ("bytes that the vTPM did not make", {"attest": other_attest(magic=b"HCLA")}, "format:tpm quote"),
    ("report of another kind", {"header": b"HCLB"}, "format:hcl report"),
    ("something after the claims", {"padding": b"\0\1"}, "format:hcl report"),
    ("no attestation key", {"claims": {**CLAIMS, "keys": []}}, "format:hcl claims"),
    ("two attestation keys", {"claims": {**CLAIMS, "keys": CLAIMS["keys"] * 2}}, "format:hcl claims"),
    ("key that may not sign", {"claims": {**CLAIMS, "keys": [{**CLAIMS["keys"][0], "key_ops": ["encrypt"]}]}},
     "format:hcl claims"),
    ("key with a small exponent", {"claims": {**CLAIMS, "keys": [{**CLAIMS["keys"][0], "e": "Aw"}]}},
     "format:hcl claims"),
    ("unknown version", {"version": 3}, "format:azure evidence"),
    ("version that is a truth", {"version": True}, "format:azure evidence"),
    ("unknown member", {"extra": {"x": 1}}, "format:azure evidence"),
    ("a TD quote beside an SNP report", {"extra": {"td_quote": "AA"}}, "format:azure evidence"),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "changes", "code"), ATTACKS, ids=[attack for attack, _, _ in ATTACKS])
def test_attack_is_refused(attack: str, changes: dict[str, Any], code: str) -> None:
    assert refusal(vm(**changes)) == code


def test_quote_of_another_td_than_the_paravisor_kept_is_refused() -> None:
    kept = lambda data: _flip(azure.td_report(td_vm().quote(data)), 530)  # noqa: E731
    assert refusal(td_vm(report=kept)) == "binding:td report"


def test_zeros_after_the_td_quote_are_azures_and_nothing_else_is() -> None:
    make = td_vm().quote
    report = td_vm().report
    assert checked(td_vm(quote=lambda data: make(data) + bytes(70), report=report))
    assert refusal(td_vm(quote=lambda data: make(data) + bytes(70) + b"\1", report=report)) == "format:quote"


def test_another_challenge_is_refused() -> None:
    assert refusal(vm(), nonce=b"fresh") == "nonce"


def test_collateral_of_the_other_hardware_is_refused() -> None:
    wrong = AzureCollateral(hardware=evidence.machines().td_collateral, nonce=Unchecked())
    assert refusal(vm(), collateral=wrong) == "collateral:family"


def test_evidence_may_name_its_platform_and_must_then_be_right() -> None:
    document = json.loads(vm().encode())
    wrapped = json.dumps({"platform": "az-snp", "evidence": document}).encode()
    assert parse_evidence(wrapped).quote == parse_evidence(vm_raw := json.dumps(document).encode()).quote
    assert vm_raw
    with pytest.raises(AttestationError) as caught:
        parse_evidence(json.dumps({"platform": "az-tdx", "evidence": document}).encode())
    assert caught.value.code == "format:azure evidence"


def test_base64url_is_read_with_and_without_padding_and_no_other_way() -> None:
    document = json.loads(vm().encode())
    report = document["hcl_report"]
    padded = report + "=" * (-len(report) % 4)
    assert urlsafe_b64decode(padded)
    parse_evidence(json.dumps({**document, "hcl_report": padded}).encode())
    for wrong in (report + "====", report + "\n", report.replace("A", "+", 1), report[:-1] + "!"):
        with pytest.raises(AttestationError):
            parse_evidence(json.dumps({**document, "hcl_report": wrong}).encode())


def test_vm_is_appraised_by_paravisor_and_registers() -> None:
    verified = checked(vm())
    guest = SimulatedGuest.of(evidence.PROGRAM)
    reference = AzureReference(
        paravisor=SnpReference(measurement=guest.measurement), pcrs=azure.PCRS, secure_boot=True
    )
    appraise(verified, reference, report_data=b"azure")
    other = AzureReference(
        paravisor=SnpReference(measurement=b"\7" * 48), pcrs={4: bytes(32)}, secure_boot=False
    )
    with pytest.raises(AppraisalError) as caught:
        appraise(verified, other, report_data=b"another")
    assert {mismatch.field for mismatch in caught.value.mismatches} == {
        "Paravisor.Measurement", "PCR4", "SecureBoot", "ReportData",
    }  # fmt: skip
