"""The second step: is the Evidence genuine?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import TypeVar

from sealmesh.attestation.azure import AzureCollateral, AzureEvidence, verify_azure
from sealmesh.attestation.cache import VerificationCache
from sealmesh.attestation.cca import CcaCollateral, CcaToken, verify_cca
from sealmesh.attestation.dcap.collateral import UnverifiedCollateral
from sealmesh.attestation.dcap.quote_signature import verify_key
from sealmesh.attestation.evidence import (
    Claims,
    CompositeClaims,
    CompositeEvidence,
    UnverifiedEvidence,
    VerifiedEvidence,
)
from sealmesh.attestation.genuine import Genuine
from sealmesh.attestation.gpu import GpuCollateral, GpuEvidence, verify_gpu
from sealmesh.attestation.nitro import NitroDocument, verify_nitro
from sealmesh.attestation.roots import TrustRoot, roots_for
from sealmesh.attestation.self_contained import NoCollateral
from sealmesh.attestation.sgx import SgxQuote, verify_sgx
from sealmesh.attestation.snp import SnpCollateral, SnpReport, verify_snp
from sealmesh.attestation.tcb import NOT_JUDGED
from sealmesh.attestation.tdx import TdQuote, verify_tdx
from sealmesh.attestation.tpm import TpmCollateral, TpmEvidence, verify_tpm
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import VerificationError

SingleCollateral = (
    UnverifiedCollateral
    | SnpCollateral
    | NoCollateral
    | CcaCollateral
    | TpmCollateral
    | AzureCollateral
    | GpuCollateral
)
"""What each family needs besides the Evidence; the first is that of SGX and TDX."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeCollateral:
    """What the parts of a composite need, in their order."""

    parts: tuple[SingleCollateral, ...]


Collateral = SingleCollateral | CompositeCollateral

CollateralT = TypeVar("CollateralT")


def verify(
    evidence: UnverifiedEvidence,
    collateral: Collateral,
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
        collateral: Of the Evidence's family, for this platform.
        roots: The trust roots that are accepted; those of other families do not count.
        now: Aware UTC; everything must be valid at this time.
        cache: Remembers platforms and their keys, so that only the quote's own signature is left to verify.

    Raises:
        EndorsementFormatError: The collateral cannot be read.
        VerificationError: The Evidence is not genuine, or cannot be shown to be; `collateral:family`
            when the collateral is another family's.
    """
    if now.utcoffset() != timedelta(0):
        raise ValueError("the time must be aware, in UTC")
    if isinstance(evidence.quote, CompositeEvidence):
        parts = _expect(CompositeCollateral, collateral).parts
        return _verify_composite(evidence, evidence.quote, parts, roots, now, cache)
    accepted = roots_for(evidence.family, roots)
    genuine = _verify(evidence, collateral, accepted, now, cache)
    return VerifiedEvidence(
        family=evidence.family,
        root=genuine.root,
        claims=genuine.claims,
        tcb=genuine.tcb,
        validity=genuine.validity,
        raw=evidence.raw,
    )


def _verify_composite(
    evidence: UnverifiedEvidence,
    composite: CompositeEvidence,
    collateral: Sequence[SingleCollateral],
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None,
) -> VerifiedEvidence:
    """Verify each part; the whole is simulated when one of them is."""
    if len(collateral) != len(composite.parts):
        raise VerificationError(
            "a composite needs the collateral of each part",
            code="collateral:family",
            found=len(collateral),
            wanted=len(composite.parts),
        )
    parts = tuple(
        verify(part, own, roots=roots, now=now, cache=cache)
        for part, own in zip(composite.parts, collateral, strict=True)
    )
    simulated = [part.root for part in parts if part.root.simulated]
    return VerifiedEvidence(
        family=evidence.family,
        root=simulated[0] if simulated else parts[0].root,
        claims=CompositeClaims(parts=parts),
        tcb=NOT_JUDGED,
        validity=reduce(Validity.intersect, (part.validity for part in parts)),
        raw=evidence.raw,
    )


def _verify(
    evidence: UnverifiedEvidence,
    collateral: Collateral,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None,
) -> Genuine[Claims]:
    match evidence.quote:
        case CompositeEvidence():
            raise AssertionError("a composite's parts are verified one by one")
        case SgxQuote() | TdQuote() as quote:
            return _verify_dcap(quote, _expect(UnverifiedCollateral, collateral), roots, now, cache)
        case SnpReport() as report:
            return verify_snp(report, _expect(SnpCollateral, collateral), roots=roots, now=now, cache=cache)
        case NitroDocument() as document:
            _expect(NoCollateral, collateral)
            return verify_nitro(document, roots=roots, now=now, cache=cache)
        case CcaToken() as token:
            return verify_cca(token, _expect(CcaCollateral, collateral), roots=roots)
        case TpmEvidence() as quote:
            return verify_tpm(quote, _expect(TpmCollateral, collateral), roots=roots, now=now, cache=cache)
        case AzureEvidence() as document:
            own = _expect(AzureCollateral, collateral)
            return verify_azure(document, own, roots=roots, now=now, cache=cache)
        case GpuEvidence() as exchange:
            given = _expect(GpuCollateral, collateral)
            return verify_gpu(exchange, given, roots=roots, now=now, cache=cache)


def _verify_dcap(
    quote: SgxQuote | TdQuote,
    collateral: UnverifiedCollateral,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None,
) -> Genuine[Claims]:
    """Verify the platform and its attestation key, then the quote made with it."""
    step = verify_key if cache is None else cache.verify_key
    certification = quote.dcap.signature.certification
    key = step(certification, collateral, family=roots[0].family, roots=roots, now=now)
    if isinstance(quote, SgxQuote):
        enclave, tcb = verify_sgx(quote, key)
        return Genuine(root=key.root, validity=key.validity, claims=enclave, tcb=tcb)
    domain, tcb = verify_tdx(quote, key)
    return Genuine(root=key.root, validity=key.validity, claims=domain, tcb=tcb)


def _expect(kind: type[CollateralT], collateral: Collateral) -> CollateralT:
    """Return the collateral if it is of this kind.

    Raises:
        VerificationError: `collateral:family`.
    """
    if isinstance(collateral, kind):
        return collateral
    raise VerificationError(
        "the collateral is of another family than the Evidence",
        code="collateral:family",
        found=type(collateral).__name__,
        wanted=kind.__name__,
    )
