"""The third step: is it what we want?

Verified Claims against Reference Values. No signature, certificate or date is looked at here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from sealmesh.attestation.azure import AzureClaims
from sealmesh.attestation.cca import CcaClaims
from sealmesh.attestation.composite import chained_report_data, shared_nonce
from sealmesh.attestation.evidence import CompositeClaims, SingleClaims, VerifiedEvidence
from sealmesh.attestation.gpu import GpuClaims
from sealmesh.attestation.nitro import NitroClaims
from sealmesh.attestation.reference import (
    AllOf,
    AzureReference,
    CcaReference,
    GpuReference,
    NitroReference,
    Reference,
    SgxReference,
    SingleReference,
    SnpReference,
    TdxReference,
    TpmReference,
)
from sealmesh.attestation.sgx import EnclaveClaims
from sealmesh.attestation.snp import SnpClaims
from sealmesh.attestation.tcb import TcbAppraisal
from sealmesh.attestation.tdx import TdClaims
from sealmesh.attestation.tpm import TpmClaims
from sealmesh.errors.attestation import AppraisalError, Mismatch

REPORT_DATA_LENGTH = 64


def appraise(verified: VerifiedEvidence, reference: Reference, *, report_data: bytes) -> None:
    """Accept verified Evidence only if it meets `reference` and carries `report_data`.

    Args:
        verified: From `verify`.
        reference: What is wanted. One that names nothing is refused, except for debug ones.
        report_data: The bytes the Attester had to bind, at most 64, filled up with zeros; normally
            the SHA-256 of its certificate. Without it any old quote could be replayed. (TPM, Azure and
            GPU: the nonce; Nitro: the user data; CCA: the realm's challenge.)

    Raises:
        AppraisalError: At least one claim was refused; `mismatches` names all of them.
    """
    appraise_any(verified, [reference], report_data=report_data)


def appraise_any(verified: VerifiedEvidence, references: Sequence[Reference], *, report_data: bytes) -> None:
    """Accept verified Evidence only if it meets at least one of the alternatives.

    Args:
        verified: From `verify`.
        references: The alternatives; none at all accepts nothing.
        report_data: As for `appraise`.

    Raises:
        AppraisalError: No alternative accepts it. `mismatches` names everything that each alternative of its
            family refused, under `Evidence[n]` where there are several; `Family` where there is none.
    """
    if len(report_data) > REPORT_DATA_LENGTH:
        raise ValueError("report data is at most 64 bytes")
    bound = report_data.ljust(REPORT_DATA_LENGTH, b"\0")
    refused: list[Mismatch] = []
    for number, reference in enumerate(references):
        if reference.family is not verified.family:
            continue
        mismatches = list(_mismatches(verified, reference, bound))
        if not mismatches:
            return
        prefix = f"Evidence[{number}]." if len(references) > 1 else ""
        refused += (replace(mismatch, field=prefix + mismatch.field) for mismatch in mismatches)
    if not refused:
        families = sorted({reference.family for reference in references})
        wanted = " or ".join(families) or "no Evidence is accepted"
        refused = [Mismatch(field="Family", found=str(verified.family), wanted=wanted)]
    raise AppraisalError(refused)


def _mismatches(verified: VerifiedEvidence, reference: Reference, bound: bytes) -> Iterator[Mismatch]:
    if isinstance(verified.claims, CompositeClaims):
        assert isinstance(reference, AllOf)
        yield from _composite_mismatches(verified.claims.parts, reference, bound)
    else:
        assert not isinstance(reference, AllOf)
        yield from _differences(verified.claims, verified.tcb, reference)
        yield from _report_data(bound_data(verified.claims), bound)


def _composite_mismatches(
    parts: Sequence[VerifiedEvidence], reference: AllOf, bound: bytes
) -> Iterator[Mismatch]:
    """Yield what differs in each part, each over the bytes by which they belong together."""
    found = tuple(part.family for part in parts)
    wanted = tuple(part.family for part in reference.parts)
    if found != wanted:
        yield Mismatch(field="Parts", found=", ".join(found), wanted=", ".join(wanted))
        return
    devices = [part.claims.device for part in parts if isinstance(part.claims, GpuClaims)]
    if len(set(devices)) < len(devices):
        yield Mismatch(field="Parts", found="one device twice", wanted="different devices")
    chained = chained_report_data(bound, [part.raw for part in parts[1:]])
    nonce = shared_nonce(bound).ljust(REPORT_DATA_LENGTH, b"\0")
    for number, (part, own) in enumerate(zip(parts, reference.parts, strict=True)):
        for mismatch in _mismatches(part, own, nonce if number else chained):
            yield replace(mismatch, field=f"AllOf[{number}].{mismatch.field}")


def _differences(claims: SingleClaims, tcb: TcbAppraisal, reference: SingleReference) -> Iterable[Mismatch]:
    match reference, claims:
        case SgxReference(), EnclaveClaims():
            return reference.differences(claims, tcb)
        case TdxReference(), TdClaims():
            return reference.differences(claims, tcb)
        case SnpReference(), SnpClaims():
            return reference.differences(claims, tcb)
        case NitroReference(), NitroClaims():
            return reference.differences(claims, tcb)
        case TpmReference(), TpmClaims():
            return reference.differences(claims, tcb)
        case AzureReference(), AzureClaims():
            return reference.differences(claims, tcb)
        case CcaReference(), CcaClaims():
            return reference.differences(claims, tcb)
        case GpuReference(), GpuClaims():
            return reference.differences(claims, tcb)
    raise AssertionError("claims of another family than their Evidence")


def bound_data(claims: SingleClaims) -> bytes:
    """Return the bytes that the Attester bound into its Evidence."""
    match claims:
        case EnclaveClaims() | TdClaims() | SnpClaims():
            return claims.report_data
        case NitroClaims():
            return claims.user_data
        case TpmClaims() | AzureClaims() | GpuClaims():
            return claims.nonce
        case CcaClaims():
            return claims.realm_challenge
    assert_never(claims)


def _report_data(found: bytes, bound: bytes) -> Iterator[Mismatch]:
    if found.ljust(REPORT_DATA_LENGTH, b"\0") != bound:
        yield Mismatch(field="ReportData", found=found.hex() or "none", wanted=bound.hex())
