"""Verify a Marble's Evidence before it is decided about.

Evidence is genuine or not whatever the manifest says, so this slow step needs no state and is not repeated
when a decision is.
"""

from datetime import datetime

from sealmesh.attestation import (
    Collateral,
    CompositeCollateral,
    CompositeEvidence,
    SingleCollateral,
    TrustRoot,
    UnverifiedEvidence,
    VerificationCache,
    needs_endorsements,
    parse_endorsements,
    parse_evidence,
    verify,
)
from sealmesh.coordinator.admission import Verdict
from sealmesh.coordinator.ports import Endorser
from sealmesh.errors import SealmeshError
from sealmesh.errors.attestation import EndorserError, EndorserUnreachable, EvidenceFormatError

#: Evidence of all families stays far below; MarbleRun's clients may send up to the message's limit.
MAX_EVIDENCE_BYTES = 65_536
#: Collateral that is kept parsed. A mesh has few kinds of platforms at a time.
_KEPT_COLLATERAL = 64


class Examiner:
    """Verifies Evidence and remembers platforms and collateral that were seen before.

    Threads may share one: what is remembered is a function of the bytes it is remembered for.

    Args:
        roots: The trust roots that the configuration names.
    """

    def __init__(self, *, endorser: Endorser, roots: tuple[TrustRoot, ...]) -> None:
        self._endorser = endorser
        self._roots = roots
        self._platforms = VerificationCache()
        self._kept: dict[bytes, SingleCollateral] = {}

    def examine(self, raw: bytes, now: datetime) -> Verdict:
        """Return the verified Evidence, or the error that says why it is not."""
        if not raw:
            return EvidenceFormatError(
                "the Marble sent no Evidence",
                code="no-evidence",
                remedy="Start the Marble on a TEE, or with SEALMESH_ATTESTER=simulated on a machine without.",
            )
        if len(raw) > MAX_EVIDENCE_BYTES:
            return EvidenceFormatError(
                "the Evidence is too large",
                code="limit:evidence",
                found=f"{len(raw)} bytes",
                wanted=f"at most {MAX_EVIDENCE_BYTES}",
            )
        try:
            evidence = parse_evidence(raw)
            return verify(
                evidence, self._collateral(evidence), roots=self._roots, now=now, cache=self._platforms
            )
        except SealmeshError as error:
            return error

    def _collateral(self, evidence: UnverifiedEvidence) -> Collateral:
        if isinstance(evidence.quote, CompositeEvidence):
            return CompositeCollateral(parts=tuple(map(self._parsed, evidence.quote.parts)))
        return self._parsed(evidence)

    def _parsed(self, evidence: UnverifiedEvidence) -> SingleCollateral:
        """Return the parsed Endorsements; remember those of DCAP, large and shared by many."""
        raw = self._endorsements(evidence)
        if evidence.dcap_quote is None or evidence.dcap_quote is not evidence.quote:
            return parse_endorsements(evidence, raw)
        known = self._kept.get(raw)
        if known is None:
            known = parse_endorsements(evidence, raw)
            kept = self._kept if len(self._kept) < _KEPT_COLLATERAL else {}
            self._kept = {**kept, raw: known}
        return known

    def _endorsements(self, evidence: UnverifiedEvidence) -> bytes:
        """Return what the Endorser has; nothing where Evidence brings all that there is."""
        try:
            return self._endorser.collateral_for(evidence)
        except EndorserUnreachable:
            raise
        except EndorserError:
            if needs_endorsements(evidence):
                raise
            return b""
