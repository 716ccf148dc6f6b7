"""What the vendor's word about the TCB must be."""

from collections.abc import Iterator

from sealmesh.attestation.tcb import TcbAppraisal, TcbStatus
from sealmesh.errors.attestation import Mismatch

DEFAULT_TCB_STATUSES: frozenset[TcbStatus] = frozenset({TcbStatus.SW_HARDENING_NEEDED})
"""Accepted besides UpToDate where nothing is said (MarbleRun's default)."""

NEVER_ACCEPTED = frozenset({TcbStatus.REVOKED, TcbStatus.NOT_SUPPORTED, TcbStatus.NOT_JUDGED})
"""The vendor itself says that such a platform proves nothing, or nobody asked; no list can accept them."""


def tcb_differences(
    tcb: TcbAppraisal, statuses: frozenset[TcbStatus | str], advisories: frozenset[str] | None
) -> Iterator[Mismatch]:
    """Yield a mismatch for a status that is not accepted, and one for advisories that are not.

    Args:
        tcb: What was verified.
        statuses: Accepted besides UpToDate.
        advisories: If given, every advisory must be among these, in every status; None accepts all.
    """
    accepted = ({str(status) for status in statuses} - NEVER_ACCEPTED) | {TcbStatus.UP_TO_DATE}
    if tcb.status not in accepted:
        yield Mismatch(field="TCBStatus", found=tcb.status, wanted=" or ".join(sorted(accepted)))
    if advisories is None:
        return
    unknown = [name for name in tcb.advisories if name not in advisories]
    if unknown:
        yield Mismatch(
            field="Advisories", found=", ".join(unknown), wanted=", ".join(sorted(advisories)) or "none"
        )
