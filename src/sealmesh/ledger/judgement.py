"""A Coordinator's Evidence against a relying party's policy: the same for statements, clients and Marbles."""

from collections.abc import Sequence
from datetime import datetime

from sealmesh.attestation import (
    CompositeEvidence,
    TrustRoot,
    VerifiedEvidence,
    appraise_any,
    parse_endorsements,
    parse_evidence,
    verify,
)
from sealmesh.errors.attestation import EvidenceFormatError
from sealmesh.ledger.relying_policy import RelyingPolicy


def judge_coordinator(
    evidence: bytes,
    endorsements: bytes,
    policy: RelyingPolicy,
    *,
    report_data: bytes,
    now: datetime,
    roots: Sequence[TrustRoot] | None = None,
) -> VerifiedEvidence:
    """Return the Coordinator's Evidence, genuine at `now` and of software that `policy` accepts.

    Args:
        evidence: Of any family of TEEs.
        endorsements: What goes with it; may be empty where the Evidence brings all there is.
        policy: Alternatives and trust roots.
        report_data: The 64 bytes that it must be over. (TPM, Azure: the nonce; Nitro: the user data.)
        now: Aware UTC.
        roots: Trust roots instead of the policy's.

    Raises:
        AttestationError: It is not readable, not genuine, under no named root, not over `report_data`, or of
            other software; then all mismatches are named.
    """
    unverified = parse_evidence(evidence)
    if isinstance(unverified.quote, CompositeEvidence):
        raise EvidenceFormatError(
            "a Coordinator shows Evidence of one TEE",
            code="format:coordinator evidence",
            found=unverified.family,
            wanted="one family",
        )
    verified = verify(
        unverified,
        parse_endorsements(unverified, endorsements),
        roots=policy.trust_roots if roots is None else roots,
        now=now,
    )
    appraise_any(verified, policy.coordinator, report_data=report_data)
    return verified
