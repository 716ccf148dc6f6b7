"""Marbles on other TEEs than SGX: admitted by the package's list, refused with every mismatch named."""

import importlib.util
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.attestation import (
    AllOf,
    Family,
    NitroReference,
    Reference,
    SgxReference,
    SnpReference,
    TdxReference,
    TpmReference,
    TrustRoot,
    UnverifiedEvidence,
    chained_report_data,
    encode_composite,
    shared_nonce,
)
from sealmesh.attestation.certification import key_fingerprint
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
    issue_td_collateral,
    td_quote,
)
from sealmesh.coordinator.admission import Admission, admit, report_data
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.examination import Examiner
from sealmesh.errors.attestation import EndorserError
from sealmesh.errors.coordinator import EvidenceRefused
from sealmesh.manifest import Package

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
CERTIFICATE = b"the certificate of the connection"
DATA = report_data(CERTIFICATE)
PROGRAM = SimulatedEnclave(unique_id=b"\1" * 32, signer_id=b"\2" * 32, product_id=7, security_version=3)
ENTROPY = Random(9).randbytes
TD, GUEST, ENCLAVE = (kind.of(PROGRAM) for kind in (SimulatedTd, SimulatedGuest, SimulatedNitroEnclave))


def _load(name: str) -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "evidence" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"evidence_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tpm = _load("tpm")


class World:
    """One of each simulated machine, and an Endorser that knows Intel's stand-in only."""

    def __init__(self) -> None:
        self.vendor = create_vendor(now=NOW, entropy=ENTROPY)
        self.platform = create_platform(self.vendor, now=NOW, entropy=ENTROPY)
        rsa_key = lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)  # noqa: E731
        self.chip = create_chip(now=NOW, entropy=ENTROPY, rsa_key=rsa_key)
        self.hypervisor = create_hypervisor(now=NOW, entropy=ENTROPY)
        ak = TrustRoot(
            name="ak", family=Family.TPM, sha256=key_fingerprint(tpm.AK.public_key()), simulated=True
        )
        self.roots = (
            self.vendor.trust_root_for(Family.TDX),
            self.chip.trust_root,
            self.hypervisor.trust_root,
            ak,
        )

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        if evidence.family is not Family.TDX:
            raise EndorserError("only TDX")
        return issue_td_collateral(self.vendor, EndorsementPlan(issued=NOW))

    def evidence(self, family: Family, data: bytes = DATA) -> bytes:
        match family:
            case Family.TDX:
                return td_quote(self.platform, TD, data)
            case Family.SNP:
                return self.chip.report(GUEST, data)
            case _:
                return self.hypervisor.document(ENCLAVE, data, now=NOW)

    def admit(self, raw: bytes, *forms: Reference, simulation: bool = True, **package: Any) -> Admission:
        examiner = Examiner(endorser=self, roots=self.roots)
        return admit(
            examiner.examine(raw, NOW),
            package=Package(evidence=forms or None, **package),
            simulation_allowed=simulation,
            settings=Settings(),
            certificate=CERTIFICATE,
        )

    def refused(self, raw: bytes, *forms: Reference, **how: Any) -> EvidenceRefused:
        with pytest.raises(EvidenceRefused) as caught:
            self.admit(raw, *forms, **how)
        return caught.value


@pytest.fixture(scope="module")
def world() -> World:
    return World()


REFERENCES: dict[Family, Reference] = {
    Family.TDX: TdxReference(mr_td=TD.mr_td, rtmrs=TD.rtmrs),
    Family.SNP: SnpReference(measurement=GUEST.measurement, guest_svn=3, minimum_tcb={"snp": 1}),
    Family.NITRO: NitroReference(pcrs={0: ENCLAVE.pcrs[0], 8: ENCLAVE.pcrs[8]}),
}
FAMILIES = list(REFERENCES)


@pytest.mark.parametrize("family", FAMILIES)
def test_marble_on_a_listed_tee_is_admitted_as_simulation(world: World, family: Family) -> None:
    admission = world.admit(world.evidence(family), *REFERENCES.values())
    assert admission.simulation
    assert admission.verdict["family"] == family
    assert admission.verdict["evidence"]


@pytest.mark.parametrize("family", FAMILIES)
def test_tee_that_is_not_listed_is_refused(world: World, family: Family) -> None:
    others = [reference for name, reference in REFERENCES.items() if name is not family]
    (mismatch,) = world.refused(world.evidence(family), *others).mismatches
    assert (mismatch.field, mismatch.found) == ("Family", family)


@pytest.mark.parametrize("family", FAMILIES)
def test_package_without_a_list_means_an_enclave(world: World, family: Family) -> None:
    error = world.refused(world.evidence(family), unique_id="01" * 32)
    assert [(mismatch.field, mismatch.wanted) for mismatch in error.mismatches] == [("Family", "sgx")]


@pytest.mark.parametrize("family", FAMILIES)
def test_evidence_for_another_certificate_is_refused(world: World, family: Family) -> None:
    raw = world.evidence(family, report_data(b"another"))
    (mismatch,) = world.refused(raw, REFERENCES[family]).mismatches
    assert mismatch.field == "ReportData"


@pytest.mark.parametrize("family", FAMILIES)
def test_simulated_tee_needs_the_manifests_word(world: World, family: Family) -> None:
    error = world.refused(world.evidence(family), REFERENCES[family], simulation=False)
    assert error.code == "simulation-not-allowed"


def test_every_mismatch_of_every_alternative_is_told(world: World) -> None:
    forms = (
        SnpReference(measurement=b"\7" * 48, guest_svn=4),
        SgxReference(unique_id=bytes(32)),
        SnpReference(id_key_digest=b"\7" * 48, vmpl=1),
    )
    error = world.refused(world.evidence(Family.SNP), *forms)
    assert {mismatch.field for mismatch in error.mismatches} == {
        "Evidence[0].Measurement",
        "Evidence[0].GuestSVN",
        "Evidence[2].IDKeyDigest",
        "Evidence[2].VMPL",
    }


def test_debug_needs_an_explicit_word(world: World) -> None:
    debug = SimulatedGuest.of(replace(PROGRAM, debug=True))
    raw = world.chip.report(debug, DATA)
    (mismatch,) = world.refused(raw, SnpReference(measurement=debug.measurement)).mismatches
    assert mismatch.field == "Debug"
    assert world.admit(raw, SnpReference(measurement=debug.measurement, debug=True)).verdict["debug"]


# Composites

MACHINE = AllOf(
    parts=(
        SnpReference(measurement=GUEST.measurement),
        TpmReference(pcrs={0: b"\1" * 32, 7: b"\2" * 32}),
    )
)


def composite(world: World, *, nonce: bytes | None = None, vouched: bytes | None = None) -> bytes:
    """A guest with its TPM; forged where another nonce, or another quote to vouch for, is given."""
    quote = tpm.Quote(nonce=shared_nonce(DATA) if nonce is None else nonce).encode()
    chained = chained_report_data(DATA, [quote if vouched is None else vouched])
    return encode_composite([world.evidence(Family.SNP, chained), quote])


def test_guest_and_its_tpm_are_admitted_together(world: World) -> None:
    admission = world.admit(composite(world), MACHINE)
    assert admission.simulation
    assert admission.verdict["part0_family"] == "snp"
    assert admission.verdict["part1_family"] == "tpm"


def test_parts_that_stand_side_by_side_are_refused(world: World) -> None:
    raw = encode_composite([world.evidence(Family.SNP), tpm.Quote(nonce=sha256(b"x").digest()).encode()])
    fields = {mismatch.field for mismatch in world.refused(raw, MACHINE).mismatches}
    assert fields == {"AllOf[0].ReportData", "AllOf[1].ReportData"}


def test_tpm_of_another_machine_is_refused(world: World) -> None:
    raw = composite(world, vouched=b"the quote of this guest's own TPM")
    (mismatch,) = world.refused(raw, MACHINE).mismatches
    assert mismatch.field == "AllOf[0].ReportData"


def test_old_quote_that_the_guest_vouches_for_is_refused(world: World) -> None:
    (mismatch,) = world.refused(composite(world, nonce=bytes(32)), MACHINE).mismatches
    assert mismatch.field == "AllOf[1].ReportData"


def test_part_alone_is_not_the_whole(world: World) -> None:
    (mismatch,) = world.refused(world.evidence(Family.SNP), MACHINE).mismatches
    assert (mismatch.field, mismatch.wanted) == ("Family", "composite")


def test_whole_is_not_taken_for_its_first_part(world: World) -> None:
    (mismatch,) = world.refused(composite(world), MACHINE.parts[0]).mismatches
    assert (mismatch.field, mismatch.found) == ("Family", "composite")


def test_part_that_is_not_as_wanted_is_named(world: World) -> None:
    wanted = AllOf(parts=(MACHINE.parts[0], TpmReference(pcrs={7: bytes(32)})))
    (mismatch,) = world.refused(composite(world), wanted).mismatches
    assert mismatch.field == "AllOf[1].PCR7"
