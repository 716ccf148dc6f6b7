"""TCB status: how the vendor judges a platform's firmware and quoting enclave."""

from dataclasses import dataclass
from enum import StrEnum


class TcbStatus(StrEnum):
    """A TCB level's status, spelled as Intel's PCS spells it.

    `NotSupported` is not in any document: it is the result when no level matches. `NotJudged` is not
    Intel's: nobody has said anything, because the family has no such statement or because collateral
    was left out in so many words. No list of accepted statuses makes `appraise` take it for an enclave.
    """

    UP_TO_DATE = "UpToDate"
    SW_HARDENING_NEEDED = "SWHardeningNeeded"
    CONFIGURATION_NEEDED = "ConfigurationNeeded"
    CONFIGURATION_AND_SW_HARDENING_NEEDED = "ConfigurationAndSWHardeningNeeded"
    OUT_OF_DATE = "OutOfDate"
    OUT_OF_DATE_CONFIGURATION_NEEDED = "OutOfDateConfigurationNeeded"
    REVOKED = "Revoked"
    NOT_SUPPORTED = "NotSupported"
    NOT_JUDGED = "NotJudged"


@dataclass(frozen=True, slots=True, kw_only=True)
class TcbAppraisal:
    """What the vendor says about the TCB that made the Evidence.

    Attributes:
        status: The converged status of everything below.
        advisories: Security advisories that apply, sorted, without duplicates.
        qe_status: The quoting enclave's own status.
        platform_status: The status of the platform's firmware.
        tcb_evaluation: The number of the reassessment that the TCB info is of (`tcbEvaluationDataNumber`):
            of two fresh documents the one with the higher number knows more. None: no document.
        qe_evaluation: The same of the QE identity.
    """

    status: TcbStatus
    advisories: tuple[str, ...]
    qe_status: TcbStatus
    platform_status: TcbStatus
    tcb_evaluation: int | None = None
    qe_evaluation: int | None = None


NOT_JUDGED = TcbAppraisal(
    status=TcbStatus.NOT_JUDGED,
    advisories=(),
    qe_status=TcbStatus.NOT_JUDGED,
    platform_status=TcbStatus.NOT_JUDGED,
)
"""Nothing was said about the TCB; the versions in the claims are all there is."""

_LOWERED_BY_OUT_OF_DATE = {
    TcbStatus.UP_TO_DATE: TcbStatus.OUT_OF_DATE,
    TcbStatus.SW_HARDENING_NEEDED: TcbStatus.OUT_OF_DATE,
    TcbStatus.CONFIGURATION_NEEDED: TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED: TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
}


def converge(platform: TcbStatus, component: TcbStatus) -> TcbStatus:
    """Return the platform's status as lowered by a component's (quoting enclave, TDX module).

    The rule of Intel's Quote Verification Library ("TCB status convergence"): an outdated component
    makes the whole outdated and keeps the hint that configuration is needed; a revoked one revokes
    it, one that no level covers leaves it without support. Components have no other status than
    these and UpToDate; should a vendor invent one, the platform counts as outdated, not as fine.
    """
    match component:
        case TcbStatus.UP_TO_DATE:
            return platform
        case TcbStatus.REVOKED | TcbStatus.NOT_SUPPORTED:
            return component if platform is not TcbStatus.REVOKED else platform
        case _:
            return _LOWERED_BY_OUT_OF_DATE.get(platform, platform)
