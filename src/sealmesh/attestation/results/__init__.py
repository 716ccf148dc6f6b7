"""Attestation Results: what a verifier found, signed, for those who cannot or will not verify themselves.

RFC 9334's passport: Evidence is judged once, and the Relying Party reads a signed EAR
(draft-ietf-rats-ear-04) with a trustworthiness vector (draft-ietf-rats-ar4si-10), as JWT or CWT.

    submodules = submodules_of(verified, appraised=True)       our facts as a vector, one for each Attester
    token = sign_ear(Ear(...), Form.JWT, Signer(...))
    ear = verify_token(parse_token(token), key, now=...)

Invariants: nothing is affirmed that was not looked at; simulated hardware is never affirmed; a result ends
before the collateral does that it rests on (`issue`); a token that is not understood is refused.
"""

from sealmesh.attestation.results.ear import (
    MAX_NONCE,
    MIN_NONCE,
    PROFILE,
    Ear,
    Fact,
    Facts,
    Submodule,
    VerifierId,
)
from sealmesh.attestation.results.issuing import RESULT_LIFETIME, issue_ear
from sealmesh.attestation.results.judging import judge, judge_failed
from sealmesh.attestation.results.plain_words import about, words_for
from sealmesh.attestation.results.submodules import (
    labels_of,
    machine_findings,
    submodules_of,
    submodules_of_failed,
)
from sealmesh.attestation.results.token import (
    MAX_TOKEN_BYTES,
    Form,
    Signer,
    UnverifiedToken,
    parse_token,
    sign_ear,
    verify_token,
)
from sealmesh.attestation.results.trust import (
    Aspect,
    Tier,
    TrustVector,
    read_trust_text,
    status_of,
    tier_of,
    trust_text,
    trusts_more,
    worst,
)

__all__ = [
    "MAX_NONCE",
    "MAX_TOKEN_BYTES",
    "MIN_NONCE",
    "PROFILE",
    "RESULT_LIFETIME",
    "Aspect",
    "Ear",
    "Fact",
    "Facts",
    "Form",
    "Signer",
    "Submodule",
    "Tier",
    "TrustVector",
    "UnverifiedToken",
    "VerifierId",
    "about",
    "issue_ear",
    "judge",
    "judge_failed",
    "labels_of",
    "machine_findings",
    "parse_token",
    "read_trust_text",
    "sign_ear",
    "status_of",
    "submodules_of",
    "submodules_of_failed",
    "tier_of",
    "trust_text",
    "trusts_more",
    "verify_token",
    "words_for",
    "worst",
]
