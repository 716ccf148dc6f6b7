"""Verify a Marble's Evidence before it is decided about.

Evidence is genuine or not whatever the manifest says, so this slow step needs no state and is not repeated
when a decision is.
"""

from datetime import datetime

from sealmesh.attestation import (
    Collateral,
    CompositeCollateral,
    CompositeEvidence,
    Family,
    SingleCollateral,
    TpmCollateral,
    TrustRoot,
    Unchecked,
    UnverifiedEvidence,
    VerificationCache,
    needs_endorsements,
    parse_endorsements,
    parse_evidence,
    verify,
)
from sealmesh.attestation.roots import roots_for
from sealmesh.attestation.tpm import EndorsedKey
from sealmesh.coordinator.admission import Verdict
from sealmesh.coordinator.ports import Endorser
from sealmesh.coordinator.tpm_challenge import Answered, Endorsement
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

    def examine(self, raw: bytes, now: datetime, answered: Answered | None = None) -> Verdict:
        """Return the verified Evidence, or the error that says why it is not.

        Args:
            raw: The Evidence.
            now: Aware UTC.
            answered: What a TPM in the Evidence answered to a challenge.
        """
        try:
            evidence = _parsed_evidence(raw)
            collateral = self._collateral(evidence, answered, now)
            return verify(evidence, collateral, roots=self._roots, now=now, cache=self._platforms)
        except SealmeshError as error:
            return error

    def endorsement(self, raw: bytes, now: datetime) -> Endorsement | SealmeshError | None:
        """Return the TPM's keys that a challenge has to be made for, or why there can be none.

        None where no challenge is needed: no TPM in the Evidence, or one whose attestation key is known.
        """
        try:
            tpm = _parsed_evidence(raw).endorsed_tpm
            endorsed = None if tpm is None else _endorsed(self._parsed(tpm))
            if endorsed is None:
                return None
            roots = roots_for(Family.TPM, self._roots)
            if endorsed.is_given(roots):
                return None
            return Endorsement(
                endorsed=endorsed, endorsement_key=endorsed.endorsement_key(roots, now, self._platforms)
            )
        except SealmeshError as error:
            return error

    def _collateral(
        self, evidence: UnverifiedEvidence, answered: Answered | None, now: datetime
    ) -> Collateral:
        if not isinstance(evidence.quote, CompositeEvidence):
            return self._answered(self._parsed(evidence), answered, now)
        parts = (self._answered(self._parsed(part), answered, now) for part in evidence.quote.parts)
        return CompositeCollateral(parts=tuple(parts))

    def _answered(
        self, collateral: SingleCollateral, answered: Answered | None, now: datetime
    ) -> SingleCollateral:
        """Return `collateral` with the TPM's answer in place of what it is an answer for."""
        endorsed = _endorsed(collateral)
        if answered is None or endorsed is None:
            return collateral
        return TpmCollateral(key=answered.activated(endorsed, now), nonce=Unchecked())

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


def _parsed_evidence(raw: bytes) -> UnverifiedEvidence:
    if not raw:
        raise EvidenceFormatError(
            "the Marble sent no Evidence",
            code="no-evidence",
            remedy="Start the Marble on a TEE, or with SEALMESH_ATTESTER=simulated on a machine without.",
        )
    if len(raw) > MAX_EVIDENCE_BYTES:
        raise EvidenceFormatError(
            "the Evidence is too large",
            code="limit:evidence",
            found=f"{len(raw)} bytes",
            wanted=f"at most {MAX_EVIDENCE_BYTES}",
        )
    return parse_evidence(raw)


def _endorsed(collateral: SingleCollateral) -> EndorsedKey | None:
    match collateral:
        case TpmCollateral(key=EndorsedKey() as endorsed):
            return endorsed
        case _:
            return None
