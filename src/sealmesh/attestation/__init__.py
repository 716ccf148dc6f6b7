"""Evidence to verified Claims to appraisal; one subpackage per TEE family (RFC 9334, Verifier).

Three steps, in three places, and types that carry their order:

    unverified = parse_evidence(raw)                            structure only
    verified = verify(unverified, collateral, roots=..., now=...)   genuine, at this time
    appraise(verified, reference, report_data=...)              what we want

Invariants: no I/O, no clock, no entropy; what is not verified is called unverified; a verifier
returns facts and the Manifest decides; no branch knows whether a root is simulated; every refusal is
an `AttestationError` with a stable code.
"""

from sealmesh.attestation.appraisal import (
    DEFAULT_TCB_STATUSES,
    NEVER_ACCEPTED,
    REPORT_DATA_LENGTH,
    SgxReference,
    appraise,
)
from sealmesh.attestation.cache import VerificationCache
from sealmesh.attestation.dcap.collateral import UnverifiedCollateral, parse_collateral
from sealmesh.attestation.evidence import Claims, UnverifiedEvidence, VerifiedEvidence, parse_evidence
from sealmesh.attestation.family import Family
from sealmesh.attestation.roots import INTEL, INTEL_TDX, TrustRoot
from sealmesh.attestation.sgx import EnclaveClaims
from sealmesh.attestation.tcb import TcbAppraisal, TcbStatus
from sealmesh.attestation.tdx import TdClaims
from sealmesh.attestation.verification import verify

__all__ = [
    "DEFAULT_TCB_STATUSES",
    "INTEL",
    "INTEL_TDX",
    "NEVER_ACCEPTED",
    "REPORT_DATA_LENGTH",
    "Claims",
    "EnclaveClaims",
    "Family",
    "SgxReference",
    "TcbAppraisal",
    "TcbStatus",
    "TdClaims",
    "TrustRoot",
    "UnverifiedCollateral",
    "UnverifiedEvidence",
    "VerificationCache",
    "VerifiedEvidence",
    "appraise",
    "parse_collateral",
    "parse_evidence",
    "verify",
]
