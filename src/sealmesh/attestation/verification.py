"""The second step: is the Evidence genuine?"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from sealmesh.attestation.cache import VerificationCache
from sealmesh.attestation.dcap.collateral import UnverifiedCollateral
from sealmesh.attestation.dcap.platform import VerifiedPlatform, verify_platform
from sealmesh.attestation.evidence import Claims, Quote, UnverifiedEvidence, VerifiedEvidence
from sealmesh.attestation.roots import TrustRoot, roots_for
from sealmesh.attestation.sgx import SgxQuote, verify_sgx
from sealmesh.attestation.tcb import TcbAppraisal
from sealmesh.attestation.tdx import TdQuote, verify_tdx


def verify(
    evidence: UnverifiedEvidence,
    collateral: UnverifiedCollateral,
    *,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None = None,
) -> VerifiedEvidence:
    """Verify that `evidence` is genuine: signatures, chains, revocation and freshness at `now`.

    No network, no clock. Says nothing about which software it speaks of and whether its TCB status
    is good enough; that is `appraise`.

    Args:
        evidence: From `parse_evidence`.
        collateral: From `parse_collateral`, for this platform.
        roots: The trust roots that are accepted; those of other families do not count.
        now: Aware UTC; everything must be valid at this time.
        cache: Remembers platforms, so that only the quote's own two signatures are left to verify.

    Raises:
        EndorsementFormatError: The collateral cannot be read.
        VerificationError: The Evidence is not genuine, or cannot be shown to be.
    """
    if now.utcoffset() != timedelta(0):
        raise ValueError("the time must be aware, in UTC")
    step = verify_platform if cache is None else cache.verify_platform
    platform = step(
        evidence.dcap.signature.pck_chain,
        collateral,
        family=evidence.family,
        roots=roots_for(evidence.family, roots),
        now=now,
    )
    claims, tcb = _verify_quote(evidence.quote, platform)
    return VerifiedEvidence(
        family=evidence.family,
        root=platform.root,
        claims=claims,
        tcb=tcb,
        expires=platform.validity.not_after,
        raw=evidence.raw,
    )


def _verify_quote(quote: Quote, platform: VerifiedPlatform) -> tuple[Claims, TcbAppraisal]:
    match quote:
        case SgxQuote():
            return verify_sgx(quote, platform)
        case TdQuote():
            return verify_tdx(quote, platform)
        case unknown:
            assert_never(unknown)
