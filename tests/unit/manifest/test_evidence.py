"""Packages that list their forms of Evidence: what is read, and every rule with its own code."""

import json
from typing import Any

import pytest

from sealmesh.attestation import (
    AllOf,
    AzureReference,
    CcaReference,
    GpuReference,
    NitroReference,
    SgxReference,
    SnpReference,
    TdxReference,
    TpmReference,
)
from sealmesh.attestation.tpm import Bank
from sealmesh.errors.manifest import ManifestError
from sealmesh.manifest import Manifest, is_package_update, parse_manifest, parse_package_update

H32, H48, H64 = "ab" * 32, "cd" * 48, "ef" * 64
SNP = {"SNP": {"Measurement": H48}}
GPU = {"GPU": {"Drivers": ["590.12"], "VBIOSes": ["96.00.A5.00.01"]}}


def manifest(evidence: Any, *, gates: list[str] | None = None, **package: Any) -> bytes:
    document = {
        "Packages": {"shop": {"Evidence": evidence, **package}},
        "Marbles": {"shop": {"Package": "shop"}},
        "Config": {"FeatureGates": ["Evidence"] if gates is None else gates},
    }
    return json.dumps(document).encode()


def read(evidence: Any) -> Manifest:
    return parse_manifest(manifest(evidence))


def codes(raw: bytes) -> set[str]:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(raw)
    return {violation.code for violation in caught.value.violations}


READ: list[tuple[Any, Any]] = [
    (
        {"SGX": {"SignerID": H32, "ProductID": 3, "SecurityVersion": 2, "AcceptedAdvisories": []}},
        SgxReference(
            signer_id=b"\xab" * 32, product_id=3, security_version=2, accepted_advisories=frozenset()
        ),
    ),
    (
        {"TDX": {"MRTD": H48, "RTMR2": H48, "MRSEAM": [H48], "TEETCBSVN": "01" * 16, "AllowVE": True}},
        TdxReference(
            mr_td=b"\xcd" * 48,
            rtmrs=(None, None, b"\xcd" * 48, None),
            mr_seams=frozenset({b"\xcd" * 48}),
            tee_tcb_svn=b"\1" * 16,
            sept_ve_disable=None,
        ),
    ),
    (
        {"SNP": {"IDKeyDigest": H48, "GuestSVN": 4, "VMPL": 1, "MinimumTCB": {"snp": 24}, "DenySMT": True}},
        SnpReference(id_key_digest=b"\xcd" * 48, guest_svn=4, vmpl=1, minimum_tcb={"snp": 24}, smt=False),
    ),
    ({"Nitro": {"PCRs": {"0": H48}}}, NitroReference(pcrs={0: b"\xcd" * 48})),
    (
        {"TPM": {"Bank": "SHA384", "PCRs": {"7": H48}, "Events": {"4": [H48]}}},
        TpmReference(bank=Bank.SHA384, pcrs={7: b"\xcd" * 48}, events={4: frozenset({b"\xcd" * 48})}),
    ),
    (
        {"Azure": {"SNP": {"Measurement": H48}, "PCRs": {"4": H32}, "SecureBoot": True}},
        AzureReference(
            paravisor=SnpReference(measurement=b"\xcd" * 48), pcrs={4: b"\xab" * 32}, secure_boot=True
        ),
    ),
    (
        {"CCA": {"RIM": H64, "REM1": H32, "FirmwareSigners": [H32]}},
        CcaReference(
            rim=b"\xef" * 64,
            rems=(None, b"\xab" * 32, None, None),
            firmware_signers=frozenset({b"\xab" * 32}),
        ),
    ),
    (
        {"GPU": {"Measurements": {"9": [H48, H32]}, "Mode": 1}},
        GpuReference(measurements={9: frozenset({b"\xcd" * 48, b"\xab" * 32})}, mode=1),
    ),
    (
        {"AllOf": [SNP, GPU]},
        AllOf(
            parts=(
                SnpReference(measurement=b"\xcd" * 48),
                GpuReference(drivers=frozenset({"590.12"}), vbioses=frozenset({"96.00.A5.00.01"})),
            )
        ),
    ),
]


@pytest.mark.parametrize(("form", "reference"), READ, ids=[next(iter(form)) for form, _ in READ])
def test_form_of_each_family_is_read(form: Any, reference: Any) -> None:
    assert read([form]).packages["shop"].evidence == (reference,)


def test_alternatives_keep_their_order() -> None:
    evidence = read([form for form, _ in READ]).packages["shop"].evidence
    assert evidence == tuple(reference for _, reference in READ)


def test_package_without_the_list_has_none() -> None:
    document = {
        "Packages": {"shop": {"UniqueID": H32}},
        "Marbles": {"shop": {"Package": "shop"}},
    }
    assert parse_manifest(json.dumps(document).encode()).packages["shop"].evidence is None


def test_field_needs_its_gate() -> None:
    assert codes(manifest([SNP], gates=[])) == {"manifest.gate.missing"}


REFUSED: list[tuple[str, Any, str]] = [
    ("empty list", [], "evidence.none"),
    ("more forms than anybody needs", [SNP] * 17, "evidence.too-many"),
    ("no family", [{}], "evidence.one-family"),
    ("two families", [{**SNP, **GPU}], "evidence.one-family"),
    ("unknown family", [{"SEV": {}}], "evidence.one-family"),
    ("nothing to compare", [{"SNP": {}}], "evidence.no-identity"),
    ("a version, but nobody's", [{"SNP": {"GuestSVN": 3}}], "evidence.no-identity"),
    ("runtime measurements of any firmware", [{"TDX": {"RTMR0": H48}}], "evidence.no-identity"),
    ("any signer's product", [{"SGX": {"ProductID": 1, "SecurityVersion": 1}}], "evidence.no-identity"),
    ("any product of a signer", [{"SGX": {"SignerID": H32}}], "evidence.no-identity"),
    ("an IAM role, and any software", [{"Nitro": {"PCRs": {"3": H48}}}], "evidence.no-identity"),
    ("any paravisor", [{"Azure": {"SNP": {}, "PCRs": {"4": H32}}}], "evidence.no-identity"),
    ("any software over a paravisor", [{"Azure": {**SNP, "PCRs": {}}}], "evidence.no-identity"),
    ("no paravisor", [{"Azure": {"PCRs": {"4": H32}}}], "evidence.bad-value"),
    ("a driver, with any VBIOS", [{"GPU": {"Drivers": ["1"]}}], "evidence.no-identity"),
    ("not hexadecimal", [{"SNP": {"Measurement": "zz" * 48}}], "evidence.bad-hex"),
    ("another length", [{"SNP": {"Measurement": H32}}], "evidence.bad-hex"),
    ("with blanks", [{"SNP": {"Measurement": " " + H48[1:]}}], "evidence.bad-hex"),
    ("zero, which is no measurement", [{"SNP": {"Measurement": "00" * 48}}], "evidence.bad-value"),
    ("zero, which a debug enclave has", [{"Nitro": {"PCRs": {"0": "00" * 48}}}], "evidence.bad-value"),
    ("unknown part of a TCB", [{"SNP": {"Measurement": H48, "MinimumTCB": {"x": 1}}}], "evidence.bad-value"),
    ("version of no byte", [{"SNP": {"Measurement": H48, "MinimumTCB": {"snp": 256}}}],
     "evidence.bad-value"),
    ("privilege level 4", [{"SNP": {"Measurement": H48, "VMPL": 4}}], "out-of-range"),
    ("no register", [{"Nitro": {"PCRs": {"zero": H48}}}], "evidence.bad-value"),
    ("SHA-1", [{"TPM": {"Bank": "SHA1", "PCRs": {"0": H32}}}], "evidence.bad-value"),
    ("event rule without events", [{"TPM": {"Events": {"4": []}}}], "evidence.bad-value"),
    ("a list that accepts nothing", [{"TDX": {"MRTD": H48, "MRSEAM": []}}], "evidence.bad-value"),
    ("composite of one", [{"AllOf": [SNP]}], "evidence.all-of"),
    ("composite that nobody collected", [{"AllOf": [GPU, SNP]}], "evidence.all-of"),
    ("composite inside a composite", [{"AllOf": [SNP, {"AllOf": [SNP, GPU]}]}], "unknown-key"),
    ("unknown field", [{"SNP": {"Measurement": H48, "Measurment": H48}}], "unknown-key"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "evidence", "code"), REFUSED, ids=[what for what, _, _ in REFUSED])
def test_form_that_cannot_be_meant_is_refused(what: str, evidence: Any, code: str) -> None:
    assert f"manifest.{code}" in codes(manifest(evidence))


@pytest.mark.parametrize(
    "field",
    [
        {"Debug": True},
        {"UniqueID": H32},
        {"SignerID": H32},
        {"ProductID": 0},
        {"SecurityVersion": 0},
        {"AcceptedTCBStatuses": []},
        {"AcceptedAdvisories": []},
    ],
)
def test_nothing_stands_beside_the_list(field: dict[str, Any]) -> None:
    assert codes(manifest([SNP], **field)) == {"manifest.package.beside-evidence"}


def test_every_violation_is_told_at_once() -> None:
    assert codes(manifest([{}, {"SNP": {}}, {"SNP": {"Measurement": "x"}}])) == {
        "manifest.evidence.one-family",
        "manifest.evidence.no-identity",
        "manifest.evidence.bad-hex",
    }


def test_package_update_cannot_bring_other_evidence() -> None:
    raw = json.dumps({"Packages": {"shop": {"SecurityVersion": 3, "Evidence": [SNP]}}}).encode()
    assert is_package_update(raw)
    with pytest.raises(ManifestError) as caught:
        parse_package_update(raw)
    assert "manifest.update.more-than-version" in {violation.code for violation in caught.value.violations}
