"""What our facts come to in the trustworthiness vector: the table of docs/attestation/results.md."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sealmesh.attestation import (
    AllOf,
    EnclaveClaims,
    Family,
    SnpReference,
    TcbStatus,
    TpmReference,
    TrustRoot,
    VerifiedEvidence,
    appraise,
    parse_evidence,
)
from sealmesh.attestation.explanation import accepting_form
from sealmesh.attestation.results import (
    Aspect,
    Form,
    Signer,
    Tier,
    about,
    issue_ear,
    judge,
    parse_token,
    read_trust_text,
    sign_ear,
    status_of,
    submodules_of,
    submodules_of_failed,
    tier_of,
    trust_text,
    trusts_more,
    verify_token,
    words_for,
)
from sealmesh.errors.attestation import AppraisalError, Mismatch, VerificationError


def _load(name: str) -> ModuleType:
    full = f"evidence_{name}"
    if full not in sys.modules:
        path = Path(__file__).resolve().parents[2] / "evidence" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


evidence = _load("genuine")
FAMILIES = list(evidence.MAKERS)
CONFIGURED = {Aspect.CONFIGURATION: 2}
MEASURED = {Aspect.EXECUTABLES: 3, **CONFIGURED}


def real(verified: VerifiedEvidence, **changes: Any) -> VerifiedEvidence:
    """The same Evidence as if of hardware."""
    return replace(verified, root=replace(verified.root, simulated=False), **changes)


def sgx(
    enclave: VerifiedEvidence, status: TcbStatus = TcbStatus.UP_TO_DATE, **claims: Any
) -> VerifiedEvidence:
    changed = replace(enclave.claims, **claims)
    return real(enclave, claims=changed, tcb=replace(enclave.tcb, status=status))


@pytest.fixture
def enclave(scene: Any) -> VerifiedEvidence:
    verified = scene.verify()
    assert isinstance(verified.claims, EnclaveClaims)
    return verified


MEMORY = {
    "tdx": {Aspect.RUNTIME_OPAQUE: 2},
    "snp": {Aspect.RUNTIME_OPAQUE: 2},
    "cca": {Aspect.RUNTIME_OPAQUE: 2},
    "azure": {Aspect.RUNTIME_OPAQUE: 2},
    "azure-tdx": {Aspect.RUNTIME_OPAQUE: 2},
    "nitro": {Aspect.RUNTIME_OPAQUE: 32},
    "tpm": {},
    "gpu": {},
}


def test_every_family_is_in_the_table() -> None:
    assert {family.split("-")[0] for family in MEMORY} | {"sgx", "composite"} == set(Family)


@pytest.mark.parametrize("family", MEMORY)
def test_accepted_evidence_of_hardware_says_what_the_table_says(family: str) -> None:
    vector = judge(real(evidence.genuine(family).verify()), appraised=True)
    assert vector == {**MEASURED, Aspect.HARDWARE: 2, **MEMORY[family]}
    assert status_of(vector) is (Tier.WARNING if family == "nitro" else Tier.AFFIRMING)


def test_accepted_enclave_of_hardware_is_affirmed(enclave: VerifiedEvidence) -> None:
    vector = judge(sgx(enclave), appraised=True)
    assert vector == {**MEASURED, Aspect.HARDWARE: 2, Aspect.RUNTIME_OPAQUE: 2}


@pytest.mark.parametrize(
    ("status", "hardware", "configuration"),
    [
        (TcbStatus.UP_TO_DATE, 2, 2),
        (TcbStatus.SW_HARDENING_NEEDED, 32, 2),
        (TcbStatus.CONFIGURATION_NEEDED, 2, 32),
        (TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED, 32, 32),
        (TcbStatus.OUT_OF_DATE, 32, 2),
        (TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED, 32, 32),
        (TcbStatus.REVOKED, 96, 2),
        (TcbStatus.NOT_SUPPORTED, 97, 2),
        (TcbStatus.NOT_JUDGED, 0, 2),
    ],
)
def test_tcb_status_is_in_hardware_and_configuration(
    enclave: VerifiedEvidence, status: TcbStatus, hardware: int, configuration: int
) -> None:
    vector = judge(sgx(enclave, status), appraised=True)
    assert vector.get(Aspect.HARDWARE, 0) == hardware
    assert vector[Aspect.CONFIGURATION] == configuration
    if status is not TcbStatus.NOT_JUDGED:
        assert (status_of(vector) is Tier.AFFIRMING) is (status is TcbStatus.UP_TO_DATE)


@pytest.mark.parametrize("family", [*MEMORY, "sgx"])
def test_simulated_hardware_is_never_affirmed(family: str, enclave: VerifiedEvidence) -> None:
    verified = enclave if family == "sgx" else evidence.genuine(family).verify()
    verified = replace(verified, root=replace(verified.root, simulated=True))
    submodules = submodules_of(verified, appraised=True, recognized=True)
    for submodule in submodules.values():
        assert submodule.status is Tier.CONTRAINDICATED
        assert (submodule.vector[Aspect.HARDWARE], submodule.vector[Aspect.RUNTIME_OPAQUE]) == (97, 96)
        assert submodule.verifier_claims["simulated"] is True


@pytest.mark.parametrize("family", ["snp", "tdx", "nitro", "azure", "azure-tdx", "cca"])
def test_debuggable_tee_is_contraindicated(family: str) -> None:
    verified = real(evidence.genuine(family).verify())
    claims = verified.claims
    if family == "cca":
        changed = replace(claims, lifecycle=0x4000)
    elif family.startswith("azure"):
        changed = replace(claims, guest=replace(claims.guest, debug=True))
    else:
        changed = replace(claims, debug=True)
    vector = judge(replace(verified, claims=changed), appraised=True)
    assert (vector[Aspect.RUNTIME_OPAQUE], vector[Aspect.EXECUTABLES]) == (96, 33)
    assert status_of(vector) is Tier.CONTRAINDICATED


def test_debug_enclave_is_contraindicated(enclave: VerifiedEvidence) -> None:
    assert status_of(judge(sgx(enclave, debug=True), appraised=True)) is Tier.CONTRAINDICATED


def test_software_that_was_compared_with_nothing_is_not_known(enclave: VerifiedEvidence) -> None:
    vector = judge(sgx(enclave), appraised=False)
    assert vector == {Aspect.EXECUTABLES: 33, Aspect.HARDWARE: 2, Aspect.RUNTIME_OPAQUE: 2}
    assert status_of(vector) is Tier.WARNING


def test_machine_that_was_looked_for_is_recognized(enclave: VerifiedEvidence) -> None:
    assert judge(sgx(enclave), appraised=True, recognized=True)[Aspect.INSTANCE_IDENTITY] == 2
    assert Aspect.INSTANCE_IDENTITY not in judge(sgx(enclave), appraised=True)


@pytest.mark.parametrize(
    ("field", "aspect"),
    [
        ("UniqueID", Aspect.EXECUTABLES),
        ("Evidence[3].SignerID", Aspect.EXECUTABLES),
        ("SecurityVersion", Aspect.EXECUTABLES),
        ("RTMR2", Aspect.EXECUTABLES),
        ("Measurements[9]", Aspect.EXECUTABLES),
        ("Events.PCR7", Aspect.EXECUTABLES),
        ("Reference", Aspect.EXECUTABLES),
        ("TCBStatus", Aspect.HARDWARE),
        ("Advisories", Aspect.HARDWARE),
        ("MinimumTCB.snp", Aspect.HARDWARE),
        ("Paravisor.MinimumTCB.snp", Aspect.HARDWARE),
        ("Firmware.BL1", Aspect.HARDWARE),
        ("VBIOS", Aspect.HARDWARE),
        ("Family", Aspect.HARDWARE),
        ("Debug", Aspect.RUNTIME_OPAQUE),
        ("Lifecycle", Aspect.RUNTIME_OPAQUE),
        ("ReportData", Aspect.INSTANCE_IDENTITY),
        ("Infrastructures.rack.PlatformIDs", Aspect.INSTANCE_IDENTITY),
        ("SMT", Aspect.CONFIGURATION),
        ("HostData", Aspect.CONFIGURATION),
        ("SomethingNew", Aspect.CONFIGURATION),
    ],
)
def test_refused_claim_is_contraindicated_where_it_belongs(
    enclave: VerifiedEvidence, field: str, aspect: Aspect
) -> None:
    vector = judge(sgx(enclave), appraised=True, recognized=True, refused=[field])
    assert tier_of(vector[aspect]) is Tier.CONTRAINDICATED
    assert [a for a in vector if tier_of(vector[a]) is Tier.CONTRAINDICATED] == [aspect]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_gives_a_result_that_is_read_back(family: str) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    verified = evidence.genuine(family).verify()
    ear = issue_ear(submodules_of(verified, appraised=True), now=evidence.NOW, ends=(verified.expires,))
    key = ec.generate_private_key(ec.SECP384R1())
    for form in Form:
        token = parse_token(sign_ear(ear, form, Signer(key=key)))
        assert verify_token(token, key.public_key(), now=evidence.NOW) == ear
    assert ear.expires <= verified.expires
    assert accepting_form(parse_evidence(evidence.genuine(family).raw))  # the family is one of the product's


def test_composite_has_a_submodule_for_each_part_and_the_worst_status_of_all() -> None:
    verified = evidence.genuine("composite").verify()
    submodules = submodules_of(verified, appraised=True, policies=("p",))
    assert list(submodules) == ["snp", "tpm"]
    assert submodules["snp"].status is Tier.CONTRAINDICATED  # its root is simulated
    assert submodules["tpm"].status is Tier.AFFIRMING
    assert issue_ear(submodules, now=evidence.NOW).status is Tier.CONTRAINDICATED
    with pytest.raises(ValueError, match="one by one"):
        judge(verified, appraised=True)


def test_parts_of_one_family_have_different_labels() -> None:
    verified = evidence.genuine("composite").verify()
    snp, tpm = verified.claims.parts
    doubled = replace(verified, claims=replace(verified.claims, parts=(snp, tpm, tpm)))
    assert list(submodules_of(doubled, appraised=True)) == ["snp", "tpm", "tpm-2"]


def test_refusal_of_a_part_is_said_of_that_part_only() -> None:
    verified = evidence.genuine("composite").verify()
    wrong = AllOf(parts=(SnpReference(measurement=b"\7" * 48), TpmReference(pcrs={0: b"\1" * 32})))
    with pytest.raises(AppraisalError) as caught:
        appraise(verified, wrong, report_data=evidence.DATA)
    submodules = submodules_of(verified, appraised=True, refused=caught.value.mismatches)
    assert submodules["snp"].vector[Aspect.EXECUTABLES] == 96
    assert submodules["tpm"].vector[Aspect.EXECUTABLES] == 3
    (mismatch,) = submodules["snp"].verifier_claims["mismatches"]
    assert "Measurement: found" in mismatch
    assert "mismatches" not in submodules["tpm"].verifier_claims


def test_refusal_of_the_whole_is_said_of_every_part() -> None:
    verified = evidence.genuine("composite").verify()
    refused = [Mismatch(field="Parts", found="snp, tpm", wanted="tdx, gpu")]
    for submodule in submodules_of(verified, appraised=True, refused=refused).values():
        assert submodule.vector[Aspect.HARDWARE] == 97


def test_evidence_that_does_not_verify_is_contraindicated_in_everything() -> None:
    genuine = evidence.genuine("snp")
    unverified = parse_evidence(genuine.raw)
    stranger = TrustRoot(name="x", family=Family.SNP, sha256=bytes(32))
    with pytest.raises(VerificationError) as caught:
        replace(genuine, roots=(stranger,)).verify()
    submodules = submodules_of_failed(unverified, caught.value)
    assert submodules["snp"].status is Tier.CONTRAINDICATED
    assert set(submodules["snp"].vector.values()) == {99}
    assert submodules["snp"].verifier_claims["refusal_code"] == caught.value.code
    assert submodules["snp"].attester_claims == {}


def test_failed_composite_is_judged_part_by_part() -> None:
    unverified = parse_evidence(evidence.genuine("composite").raw)
    submodules = submodules_of_failed(unverified, VerificationError("no", code="signature:x"))
    assert list(submodules) == ["snp", "tpm"]


def test_long_refusals_are_cut(enclave: VerifiedEvidence) -> None:
    refused = [Mismatch(field="UniqueID", found="f" * 9999, wanted="w")] * 100
    (submodule,) = submodules_of(enclave, appraised=True, refused=refused).values()
    mismatches = submodule.verifier_claims["mismatches"]
    assert isinstance(mismatches, tuple)
    assert (len(mismatches), max(map(len, mismatches))) == (64, 512)


@pytest.mark.parametrize(
    ("value", "tier"),
    [
        (0, Tier.NONE),
        (1, Tier.NONE),
        (-1, Tier.NONE),
        (2, Tier.AFFIRMING),
        (31, Tier.AFFIRMING),
        (-2, Tier.AFFIRMING),
        (-32, Tier.AFFIRMING),
        (32, Tier.WARNING),
        (95, Tier.WARNING),
        (-33, Tier.WARNING),
        (-96, Tier.WARNING),
        (96, Tier.CONTRAINDICATED),
        (127, Tier.CONTRAINDICATED),
        (-97, Tier.CONTRAINDICATED),
        (-128, Tier.CONTRAINDICATED),
    ],
)
def test_values_are_in_the_tiers_of_ar4si(value: int, tier: Tier) -> None:
    assert tier_of(value) is tier


def test_trust_falls_from_affirming_to_contraindicated() -> None:
    order = [Tier.AFFIRMING, Tier.NONE, Tier.WARNING, Tier.CONTRAINDICATED]
    for one, tier in enumerate(order):
        assert [trusts_more(tier, other) for other in order] == [one < number for number in range(4)]


def test_vector_as_text_is_read_back() -> None:
    vector = {Aspect.HARDWARE: 97, Aspect.RUNTIME_OPAQUE: -128}
    assert trust_text(vector) == "hardware=97 runtime-opaque=-128"
    assert read_trust_text(trust_text(vector)) == vector
    for text in ("hardware", "hardware=x", "nothing=2", "hardware=2=3"):
        with pytest.raises(ValueError):
            read_trust_text(text)


def test_every_value_has_words() -> None:
    for aspect in Aspect:
        assert about(aspect)
        for value in range(-128, 128):
            assert words_for(aspect, value)
    assert words_for(Aspect.HARDWARE, 99) == words_for(Aspect.EXECUTABLES, 99)
