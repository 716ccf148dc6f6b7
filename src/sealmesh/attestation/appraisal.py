"""The third step: is it what we want?

Verified Claims against Reference Values. No signature, certificate or date is looked at here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sealmesh.attestation.evidence import VerifiedEvidence
from sealmesh.attestation.sgx import EnclaveClaims
from sealmesh.attestation.tcb import TcbAppraisal, TcbStatus
from sealmesh.errors.attestation import AppraisalError, Mismatch

DEFAULT_TCB_STATUSES: frozenset[TcbStatus] = frozenset({TcbStatus.SW_HARDENING_NEEDED})
"""Accepted besides UpToDate where nothing is said (MarbleRun's default)."""

NEVER_ACCEPTED = frozenset({TcbStatus.REVOKED, TcbStatus.NOT_SUPPORTED, TcbStatus.NOT_JUDGED})
"""The vendor itself says that such a platform proves nothing, or nobody asked; no list can accept them."""

REPORT_DATA_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SgxReference:
    """Reference Values for an SGX enclave: what a Package of the Manifest says.

    Attributes:
        unique_id: MRENCLAVE, 32 bytes, or None for any.
        signer_id: MRSIGNER, 32 bytes, or None for any.
        product_id: ISVPRODID, or None for any.
        security_version: The lowest ISVSVN, or None for any.
        debug: Whether the enclave must be a debug enclave: equal, not "may be".
        accepted_tcb_statuses: Accepted besides UpToDate. Revoked and NotSupported never are.
        accepted_advisories: If given, every advisory of the platform must be among these, whatever
            its status; None accepts all.
    """

    unique_id: bytes | None = None
    signer_id: bytes | None = None
    product_id: int | None = None
    security_version: int | None = None
    debug: bool = False
    accepted_tcb_statuses: frozenset[TcbStatus | str] = frozenset(DEFAULT_TCB_STATUSES)
    accepted_advisories: frozenset[str] | None = None

    def __post_init__(self) -> None:
        for name, value in (("unique_id", self.unique_id), ("signer_id", self.signer_id)):
            if value is not None and len(value) != 32:
                raise ValueError(f"{name} is 32 bytes")

    @property
    def is_empty(self) -> bool:
        """Whether any enclave that is not a debug enclave would do."""
        values = (self.unique_id, self.signer_id, self.product_id, self.security_version)
        return not self.debug and all(value is None for value in values)


def appraise(verified: VerifiedEvidence, reference: SgxReference, *, report_data: bytes) -> None:
    """Accept verified Evidence only if it meets `reference` and carries `report_data`.

    Args:
        verified: From `verify`.
        reference: What is wanted. One that names nothing is refused, except for debug enclaves,
            where MarbleRun's `Debug` packages do without.
        report_data: The bytes the Attester had to bind, at most 64, filled up with zeros; normally
            the SHA-256 of its certificate. Without it any old quote could be replayed.

    Raises:
        AppraisalError: At least one claim was refused; `mismatches` names all of them.
    """
    if len(report_data) > REPORT_DATA_LENGTH:
        raise ValueError("report data is at most 64 bytes")
    if not isinstance(verified.claims, EnclaveClaims):
        raise AppraisalError([Mismatch(field="Family", found=str(verified.family), wanted="sgx")])
    mismatches = [
        *_enclave_mismatches(verified.claims, reference),
        *_tcb_mismatches(verified.tcb, reference),
        *_differ("ReportData", verified.claims.report_data, report_data.ljust(REPORT_DATA_LENGTH, b"\0")),
    ]
    if mismatches:
        raise AppraisalError(mismatches)


def _enclave_mismatches(claims: EnclaveClaims, reference: SgxReference) -> Iterable[Mismatch]:
    if reference.is_empty:
        yield Mismatch(
            field="Reference", found="nothing to compare", wanted="UniqueID, SignerID or another property"
        )
    yield from _differ("UniqueID", claims.mr_enclave, reference.unique_id)
    yield from _differ("SignerID", claims.mr_signer, reference.signer_id)
    if reference.product_id is not None and claims.isv_prod_id != reference.product_id:
        yield Mismatch(field="ProductID", found=str(claims.isv_prod_id), wanted=str(reference.product_id))
    if reference.security_version is not None and claims.isv_svn < reference.security_version:
        yield Mismatch(
            field="SecurityVersion",
            found=str(claims.isv_svn),
            wanted=f"at least {reference.security_version}",
        )
    if claims.debug is not reference.debug:
        yield Mismatch(field="Debug", found=_truth(claims.debug), wanted=_truth(reference.debug))


def _tcb_mismatches(tcb: TcbAppraisal, reference: SgxReference) -> Iterable[Mismatch]:
    accepted = ({str(status) for status in reference.accepted_tcb_statuses} - NEVER_ACCEPTED) | {
        TcbStatus.UP_TO_DATE
    }
    if tcb.status not in accepted:
        yield Mismatch(field="TCBStatus", found=tcb.status, wanted=" or ".join(sorted(accepted)))
    allowed = reference.accepted_advisories
    if allowed is not None and (unknown := [name for name in tcb.advisories if name not in allowed]):
        yield Mismatch(
            field="Advisories",
            found=", ".join(unknown),
            wanted=", ".join(sorted(allowed)) or "none",
        )


def _differ(field: str, found: bytes, wanted: bytes | None) -> Iterable[Mismatch]:
    if wanted is not None and found != wanted:
        yield Mismatch(field=field, found=found.hex(), wanted=wanted.hex())


def _truth(value: bool) -> str:
    return "true" if value else "false"
