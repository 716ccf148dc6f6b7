"""Genuine Evidence against what is wanted: every mismatch is named."""

from dataclasses import replace
from typing import Any

import pytest

from sealmesh.attestation import (
    Family,
    SgxReference,
    TcbAppraisal,
    TcbStatus,
    TdClaims,
    VerifiedEvidence,
    appraise,
)
from sealmesh.errors.attestation import AppraisalError

Scene = Any
S = TcbStatus


@pytest.fixture
def verified(scene: Scene) -> VerifiedEvidence:
    return scene.verify()  # type: ignore[no-any-return]


def with_tcb(verified: VerifiedEvidence, status: TcbStatus, *advisories: str) -> VerifiedEvidence:
    tcb = TcbAppraisal(status=status, advisories=advisories, qe_status=S.UP_TO_DATE, platform_status=status)
    return replace(verified, tcb=tcb)


def mismatches(verified: VerifiedEvidence, reference: SgxReference, report_data: bytes) -> set[str]:
    try:
        appraise(verified, reference, report_data=report_data)
    except AppraisalError as error:
        return {mismatch.field for mismatch in error.mismatches}
    return set()


def test_evidence_that_meets_every_value_is_accepted(verified: VerifiedEvidence, scene: Scene) -> None:
    reference = SgxReference(
        unique_id=scene.enclave.unique_id,
        signer_id=scene.enclave.signer_id,
        product_id=7,
        security_version=3,
        accepted_advisories=frozenset(),
    )
    appraise(verified, reference, report_data=scene.report_data)


def test_all_mismatches_are_named_at_once(verified: VerifiedEvidence) -> None:
    reference = SgxReference(
        unique_id=bytes(32), signer_id=bytes(32), product_id=8, security_version=4, debug=True,
        accepted_advisories=frozenset(),
    )  # fmt: skip
    lowered = with_tcb(verified, S.OUT_OF_DATE, "INTEL-SA-00001")
    with pytest.raises(AppraisalError) as caught:
        appraise(lowered, reference, report_data=b"other")
    error = caught.value
    assert [mismatch.field for mismatch in error.mismatches] == [
        "UniqueID", "SignerID", "ProductID", "SecurityVersion", "Debug", "TCBStatus", "Advisories",
        "ReportData",
    ]  # fmt: skip
    assert "SecurityVersion: found 3, wanted at least 4" in str(error)
    assert error.code == "appraisal"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"unique_id": bytes(32)}, "UniqueID"),
        ({"signer_id": bytes(32)}, "SignerID"),
        ({"product_id": 6}, "ProductID"),
        ({"security_version": 4}, "SecurityVersion"),
        ({"product_id": 7, "debug": True}, "Debug"),
    ],
)
def test_one_wrong_value_is_enough(
    verified: VerifiedEvidence, scene: Scene, change: dict[str, Any], field: str
) -> None:
    assert mismatches(verified, SgxReference(**change), scene.report_data) == {field}


@pytest.mark.parametrize("version", [0, 1, 3])
def test_security_version_is_a_lower_bound(verified: VerifiedEvidence, scene: Scene, version: int) -> None:
    assert not mismatches(verified, SgxReference(security_version=version), scene.report_data)


def test_rolled_back_security_version_is_refused(scene: Scene) -> None:
    old = scene.platform.quote(replace(scene.enclave, security_version=2), scene.report_data)
    verified = scene.but(quote=old).verify()
    assert mismatches(verified, SgxReference(security_version=3), scene.report_data) == {"SecurityVersion"}


def test_reference_that_names_nothing_is_refused(verified: VerifiedEvidence, scene: Scene) -> None:
    assert mismatches(verified, SgxReference(), scene.report_data) == {"Reference"}


def test_debug_package_may_name_nothing_and_takes_only_debug_enclaves(scene: Scene) -> None:
    quote = scene.platform.quote(replace(scene.enclave, debug=True), scene.report_data)
    assert not mismatches(scene.but(quote=quote).verify(), SgxReference(debug=True), scene.report_data)
    assert mismatches(scene.verify(), SgxReference(debug=True), scene.report_data) == {"Debug"}


def test_debug_enclave_is_refused_where_it_is_not_wanted(scene: Scene) -> None:
    quote = scene.platform.quote(replace(scene.enclave, debug=True), scene.report_data)
    verified = scene.but(quote=quote).verify()
    assert mismatches(verified, SgxReference(product_id=7), scene.report_data) == {"Debug"}


def test_replayed_quote_of_another_certificate_is_refused(verified: VerifiedEvidence) -> None:
    assert mismatches(verified, SgxReference(product_id=7), b"\1" * 32) == {"ReportData"}


def test_short_report_data_is_filled_with_zeros(scene: Scene) -> None:
    quote = scene.platform.quote(scene.enclave, b"hash".ljust(64, b"\0"))
    verified = scene.but(quote=quote).verify()
    assert not mismatches(verified, SgxReference(product_id=7), b"hash")
    assert mismatches(verified, SgxReference(product_id=7), b"hash2") == {"ReportData"}


def test_report_data_that_does_not_fit_is_our_own_mistake(verified: VerifiedEvidence) -> None:
    with pytest.raises(ValueError, match="at most 64"):
        appraise(verified, SgxReference(product_id=7), report_data=bytes(65))


@pytest.mark.parametrize(
    ("status", "accepted", "fine"),
    [
        (S.UP_TO_DATE, None, True),
        (S.SW_HARDENING_NEEDED, None, True),
        (S.OUT_OF_DATE, None, False),
        (S.CONFIGURATION_NEEDED, None, False),
        (S.REVOKED, None, False),
        (S.NOT_SUPPORTED, None, False),
        (S.UP_TO_DATE, {"OutOfDate"}, True),
        (S.OUT_OF_DATE, {"OutOfDate"}, True),
        (S.SW_HARDENING_NEEDED, {"OutOfDate"}, False),
        (S.UP_TO_DATE, set(), True),
        (S.SW_HARDENING_NEEDED, set(), False),
        (S.REVOKED, {"Revoked"}, False),
        (S.NOT_SUPPORTED, {"NotSupported", "Revoked"}, False),
    ],
)
def test_tcb_status_is_up_to_date_or_in_the_list(
    verified: VerifiedEvidence, scene: Scene, status: TcbStatus, accepted: set[str] | None, fine: bool
) -> None:
    given = {} if accepted is None else {"accepted_tcb_statuses": frozenset(accepted)}
    reference = SgxReference(product_id=7, **given)
    found = mismatches(with_tcb(verified, status), reference, scene.report_data)
    assert found == (set() if fine else {"TCBStatus"})


@pytest.mark.parametrize("status", [S.UP_TO_DATE, S.SW_HARDENING_NEEDED])
@pytest.mark.parametrize(
    ("accepted", "fine"), [(None, True), ({"A", "B"}, True), ({"A"}, False), (set(), False)]
)
def test_every_advisory_must_be_accepted_where_a_list_is_given(
    verified: VerifiedEvidence, scene: Scene, status: TcbStatus, accepted: set[str] | None, fine: bool
) -> None:
    allowed = None if accepted is None else frozenset(accepted)
    reference = SgxReference(product_id=7, accepted_advisories=allowed)
    found = mismatches(with_tcb(verified, status, "A", "B"), reference, scene.report_data)
    assert found == (set() if fine else {"Advisories"})


def test_td_is_no_enclave(verified: VerifiedEvidence, scene: Scene) -> None:
    td = TdClaims(
        mr_td=bytes(48), rtmrs=(bytes(48),) * 4, mr_config_id=bytes(48), mr_owner=bytes(48),
        mr_owner_config=bytes(48), td_attributes=bytes(8), xfam=bytes(8), debug=False,
        report_data=scene.report_data, tee_tcb_svn=bytes(16), mr_seam=bytes(48), mr_service_td=None,
        fmspc=bytes(6), ppid=bytes(16), cpu_svn=bytes(16), pce_svn=1, qe_svn=1,
    )  # fmt: skip
    evidence = replace(verified, family=Family.TDX, claims=td)
    assert mismatches(evidence, SgxReference(product_id=7), scene.report_data) == {"Family"}


@pytest.mark.parametrize("field", ["unique_id", "signer_id"])
def test_ids_have_32_bytes(field: str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SgxReference(**{field: bytes(31)})
