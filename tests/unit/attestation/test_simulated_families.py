"""Simulated TDX, SNP and Nitro: genuine under their own root, refused when forged, and appraised."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha384
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.attestation import (
    AMD_MILAN,
    AWS_NITRO,
    INTEL_TDX,
    Family,
    NitroReference,
    NoCollateral,
    SnpCollateral,
    SnpReference,
    TcbStatus,
    TdxReference,
    TrustRoot,
    Unchecked,
    VerificationCache,
    VerifiedEvidence,
    appraise,
    parse_collateral,
    parse_evidence,
    verify,
)
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedChip,
    SimulatedEnclave,
    SimulatedGuest,
    SimulatedHypervisor,
    SimulatedNitroEnclave,
    SimulatedTd,
    create_chip,
    create_hypervisor,
    issue_td_collateral,
    td_quote,
)
from sealmesh.errors.attestation import AppraisalError, AttestationError

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
DATA = bytes(range(64))
PROGRAM = SimulatedEnclave(unique_id=b"\1" * 32, signer_id=b"\2" * 32, product_id=7, security_version=3)
NO_CRL = SnpCollateral(leaf=None, candidates=(), crl=Unchecked())
IMAGE, SIGNER = sha384(PROGRAM.unique_id).digest(), sha384(PROGRAM.signer_id).digest()


@pytest.fixture(scope="module")
def chip() -> SimulatedChip:
    return create_chip(
        now=NOW,
        entropy=Random(5).randbytes,
        rsa_key=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    )


@pytest.fixture(scope="module")
def hypervisor() -> SimulatedHypervisor:
    return create_hypervisor(now=NOW, entropy=Random(6).randbytes)


def checked(raw: bytes, collateral: Any, root: TrustRoot, **arguments: Any) -> VerifiedEvidence:
    return verify(parse_evidence(raw), collateral, roots=[root], **{"now": NOW, **arguments})


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(AttestationError) as caught:
        act()
    return caught.value.code


# TDX


def td_evidence(scene: Any, td: SimulatedTd, **plan: Any) -> VerifiedEvidence:
    collateral = parse_collateral(
        issue_td_collateral(scene.vendor, EndorsementPlan(**{"issued": NOW, **plan}))
    )
    root = scene.vendor.trust_root_for(Family.TDX)
    return checked(td_quote(scene.platform, td, DATA), collateral, root)


def test_simulated_td_is_up_to_date_and_appraised_by_its_measurements(scene: Any) -> None:
    td = SimulatedTd.of(PROGRAM)
    verified = td_evidence(scene, td)
    assert verified.tcb.status is TcbStatus.UP_TO_DATE
    assert (verified.tcb.tcb_evaluation, verified.tcb.qe_evaluation) == (1, 1)
    appraise(verified, TdxReference(mr_td=td.mr_td, rtmrs=(None, None, IMAGE, None)), report_data=DATA)


def test_simulated_td_is_nothing_to_intel(scene: Any) -> None:
    quote = td_quote(scene.platform, SimulatedTd.of(PROGRAM), DATA)
    collateral = parse_collateral(issue_td_collateral(scene.vendor, EndorsementPlan(issued=NOW)))
    assert refusal(lambda: checked(quote, collateral, INTEL_TDX)) == "crl sig:root"


# SNP


def test_simulated_guest_is_genuine_and_appraised(chip: SimulatedChip) -> None:
    verified = checked(chip.report(SimulatedGuest.of(PROGRAM), DATA), NO_CRL, chip.trust_root)
    reference = SnpReference(
        measurement=IMAGE, id_key_digest=SIGNER, guest_svn=3, minimum_tcb={"snp": 1, "ucode": 1}
    )
    appraise(verified, reference, report_data=DATA)


def test_simulated_guest_is_nothing_to_amd(chip: SimulatedChip) -> None:
    raw = chip.report(SimulatedGuest.of(PROGRAM), DATA)
    assert refusal(lambda: checked(raw, NO_CRL, AMD_MILAN)) == "root:ark"


def crl(chip: SimulatedChip, **changes: Any) -> SnpCollateral:
    arguments = {"issued": NOW - timedelta(hours=1), "lifetime": timedelta(days=30), **changes}
    return SnpCollateral(leaf=None, candidates=(), crl=chip.crl(**arguments))


def test_fresh_list_that_names_nobody_is_accepted_and_ends_the_validity(chip: SimulatedChip) -> None:
    raw = chip.report(SimulatedGuest.of(PROGRAM), DATA)
    verified = checked(raw, crl(chip), chip.trust_root)
    assert verified.expires == NOW - timedelta(hours=1) + timedelta(days=30)


@pytest.mark.parametrize(
    ("attack", "list_changes", "code"),
    [
        ("CA revoked", {"revoked": frozenset({2})}, "revoked:ask"),
        ("stale list", {"lifetime": timedelta(minutes=30)}, "expired:crl"),
        ("list from the future", {"issued": NOW + timedelta(hours=1)}, "expired:crl"),
    ],
)
def test_list_of_the_root_counts(
    chip: SimulatedChip, attack: str, list_changes: dict[str, Any], code: str
) -> None:
    raw = chip.report(SimulatedGuest.of(PROGRAM), DATA)
    assert refusal(lambda: checked(raw, crl(chip, **list_changes), chip.trust_root)) == code


def test_unchecked_is_not_remembered_for_an_empty_list(chip: SimulatedChip) -> None:
    raw, cache = chip.report(SimulatedGuest.of(PROGRAM), DATA), VerificationCache()
    checked(raw, NO_CRL, chip.trust_root, cache=cache)
    empty = SnpCollateral(leaf=None, candidates=(), crl=b"")
    assert refusal(lambda: checked(raw, empty, chip.trust_root, cache=cache)) == "format:ark crl"


def test_list_of_another_root_is_refused(chip: SimulatedChip) -> None:
    raw = chip.report(SimulatedGuest.of(PROGRAM), DATA)
    other = replace(chip, ark_key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert refusal(lambda: checked(raw, crl(other), chip.trust_root)) == "crl sig:ark"


def test_report_of_another_tcb_than_its_certificates_is_refused(chip: SimulatedChip) -> None:
    raw = chip.at(bytes((1, 1, 0, 0, 0, 0, 0, 1))).report(SimulatedGuest.of(PROGRAM), DATA)
    assert refusal(lambda: checked(raw, NO_CRL, chip.trust_root)) == "tcb:snp"


def test_report_of_another_chip_is_refused(chip: SimulatedChip) -> None:
    raw = replace(chip, chip_id=bytes(64)).report(SimulatedGuest.of(PROGRAM), DATA)
    assert refusal(lambda: checked(raw, NO_CRL, chip.trust_root)) == "chip id"


def test_report_signed_by_somebody_else_is_refused(
    chip: SimulatedChip, hypervisor: SimulatedHypervisor
) -> None:
    raw = replace(chip, key=hypervisor.key).report(SimulatedGuest.of(PROGRAM), DATA)
    assert refusal(lambda: checked(raw, NO_CRL, chip.trust_root)) == "signature:report"


def test_report_after_its_certificates_have_expired_is_refused_also_when_remembered(
    chip: SimulatedChip,
) -> None:
    raw, cache = chip.report(SimulatedGuest.of(PROGRAM), DATA), VerificationCache()
    checked(raw, NO_CRL, chip.trust_root, cache=cache)
    late = NOW + timedelta(days=30 * 365)
    act = lambda: checked(raw, NO_CRL, chip.trust_root, cache=cache, now=late)  # noqa: E731
    assert refusal(act) == "expired:ark"


# Nitro


def document(hypervisor: SimulatedHypervisor, enclave: SimulatedNitroEnclave | None = None) -> bytes:
    return hypervisor.document(enclave or SimulatedNitroEnclave.of(PROGRAM), DATA, now=NOW)


def test_simulated_enclave_is_genuine_and_appraised(hypervisor: SimulatedHypervisor) -> None:
    verified = checked(document(hypervisor), NoCollateral(), hypervisor.trust_root)
    appraise(verified, NitroReference(pcrs={0: IMAGE, 8: SIGNER}), report_data=DATA)


def test_simulated_enclave_is_nothing_to_aws(hypervisor: SimulatedHypervisor) -> None:
    act = lambda: checked(document(hypervisor), NoCollateral(), AWS_NITRO)  # noqa: E731
    assert refusal(act) == "root:nitro root"


def test_debug_enclave_has_no_measurements_and_is_demanded_in_so_many_words(
    hypervisor: SimulatedHypervisor,
) -> None:
    debug = replace(SimulatedNitroEnclave.of(PROGRAM), debug=True)
    verified = checked(document(hypervisor, debug), NoCollateral(), hypervisor.trust_root)
    with pytest.raises(AppraisalError) as caught:
        appraise(verified, NitroReference(pcrs={8: SIGNER}), report_data=DATA)
    assert {mismatch.field for mismatch in caught.value.mismatches} == {"Debug"}
    appraise(verified, NitroReference(pcrs={8: SIGNER}, debug=True), report_data=DATA)
