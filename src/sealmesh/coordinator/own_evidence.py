"""The Coordinator's Evidence of itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sealmesh.coordinator.ports import Attester, Clock

#: A kept quote is made anew after this time, so that the platform's certificates in it do not grow old.
_KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeEvidence:
    """Evidence and the collateral that goes with it; both empty where the Coordinator has no Attester."""

    raw: bytes = b""
    endorsements: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    report_data: bytes
    until: datetime
    evidence: MadeEvidence


class OwnEvidence:
    """Makes Evidence over given report data.

    Args:
        attester: None for a Coordinator that was allowed to have none (`insecure-empty-quotes`).
    """

    def __init__(self, *, attester: Attester | None, clock: Clock) -> None:
        self._attester = attester
        self._clock = clock
        self._kept: _Kept | None = None

    def over(self, report_data: bytes, *, keep: bool = False) -> MadeEvidence:
        """Return Evidence that binds `report_data` (64 bytes).

        Args:
            report_data: What the hardware vouches for.
            keep: Evidence made earlier will do, where nobody's nonce is in `report_data`.

        Raises:
            AttestationError: The platform cannot give Evidence.
        """
        if self._attester is None:
            return MadeEvidence()
        if not keep:
            return self._make(self._attester, report_data)
        kept, now = self._kept, self._clock()
        if kept is None or kept.report_data != report_data or kept.until < now:
            made = self._make(self._attester, report_data)
            kept = self._kept = _Kept(report_data=report_data, until=now + _KEPT_FOR, evidence=made)
        return kept.evidence

    @staticmethod
    def _make(attester: Attester, report_data: bytes) -> MadeEvidence:
        raw = attester.evidence(report_data)
        return MadeEvidence(raw=raw, endorsements=attester.endorsements(raw))
