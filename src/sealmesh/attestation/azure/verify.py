"""Verification of Azure confidential VMs: hardware, paravisor, vTPM, guest; each vouches for the next.

Plan (Microsoft, "Guest attestation for confidential VMs in Azure: vTPM", "How to verify the Evidence"):

 1. The hardware's report holds: `snp.verify` with the VCEK beside it, or the TD quote by `tdx.verify`.
 2. It vouches for the paravisor's claims: its report data is their digest, then zeros. With TDX, the
    TDREPORT that the paravisor kept is the one that was quoted.
 3. The claims name the vTPM's key; it signed the quote.
 4. The nonce is the one that was sent, where one was.
 5. The registers' values are those that were quoted.

Not looked at: measurements, registers, the VM's configuration, debug, TCB status. Facts for `appraise`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sealmesh.attestation.azure.claims import AzureClaims
from sealmesh.attestation.azure.evidence import AzureEvidence
from sealmesh.attestation.azure.hcl_report import HclReport
from sealmesh.attestation.cache import VerificationCache
from sealmesh.attestation.dcap.collateral import UnverifiedCollateral
from sealmesh.attestation.dcap.quote_signature import verify_key
from sealmesh.attestation.dcap.unjudged import verify_unjudged
from sealmesh.attestation.family import Family
from sealmesh.attestation.genuine import Genuine
from sealmesh.attestation.nonce import verify_nonce
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.snp import SnpClaims, SnpCollateral, SnpReport, verify_snp
from sealmesh.attestation.tdx import TdClaims, TdQuote, td_claims, verify_tdx
from sealmesh.attestation.tpm.verify import verify_pcrs
from sealmesh.attestation.unchecked import Unchecked
from sealmesh.errors.attestation import VerificationError

_REPORT_DATA = slice(128, 192)
_QUOTED_PARTS = (slice(264, 384), slice(512, 912), _REPORT_DATA)
"""Of a TDREPORT (Intel TDX module, TDREPORT_STRUCT): TEE_TCB_SVN to SEAMATTRIBUTES, ATTRIBUTES to RTMR3,
and REPORTDATA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureCollateral:
    """What the Evidence needs besides itself.

    Attributes:
        hardware: With SNP, AMD's CAs (the VCEK is in the Evidence); with TDX, Intel's collateral, or
            `Unchecked()`: then nobody judges the platform and the TCB status is `NotJudged`.
        nonce: What was sent to this VM for this quote, or `Unchecked()`: then it is for `appraise`, as the
            report data.
    """

    hardware: SnpCollateral | UnverifiedCollateral | Unchecked
    nonce: bytes | Unchecked


def verify_azure(
    evidence: AzureEvidence,
    collateral: AzureCollateral,
    *,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None = None,
) -> Genuine[AzureClaims]:
    """Verify Evidence of an Azure VM; the plan is the module's.

    Raises:
        EndorsementFormatError: A certificate or document cannot be read.
        VerificationError: The hardware's own, `collateral:family`, `binding:runtime claims`,
            `binding:td report`, `signature:quote`, `nonce`, `pcr selection` or `pcr digest`.
    """
    # 1. Hardware.
    hardware = _verify_hardware(evidence, collateral, roots, now, cache)
    # 2. Paravisor.
    _verify_binding(evidence, hardware.claims)
    # 3. vTPM.
    evidence.signature.verify(evidence.hcl.claims.attestation_key, evidence.attest.raw)
    # 4. Nonce.
    verify_nonce(evidence.attest.nonce, collateral.nonce)
    # 5. Registers.
    verify_pcrs(evidence.attest, evidence.pcrs, digested_with=evidence.signature.hash)
    claims = AzureClaims(
        nonce=evidence.attest.nonce,
        pcrs=evidence.pcrs,
        clock=evidence.attest.clock,
        vm_configuration=evidence.hcl.claims.vm_configuration,
        user_data=evidence.hcl.claims.user_data,
        guest=hardware.claims,
    )
    return Genuine(root=hardware.root, validity=hardware.validity, claims=claims, tcb=hardware.tcb)


def _verify_hardware(
    evidence: AzureEvidence,
    collateral: AzureCollateral,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None,
) -> Genuine[SnpClaims | TdClaims]:
    match evidence.guest, collateral.hardware:
        case SnpReport() as report, SnpCollateral() as certificates:
            own = replace(certificates, leaf=evidence.vcek)
            return verify_snp(report, own, roots=roots, now=now, cache=cache)
        case TdQuote() as quote, UnverifiedCollateral() as documents:
            step = verify_key if cache is None else cache.verify_key
            certification = quote.dcap.signature.certification
            key = step(certification, documents, family=Family.TDX, roots=roots, now=now)
            claims, tcb = verify_tdx(quote, key)
            return Genuine(root=key.root, validity=key.validity, claims=claims, tcb=tcb)
        case TdQuote() as quote, Unchecked():
            unjudged = verify_unjudged(quote.dcap, roots=roots, now=now)
            return Genuine(
                root=unjudged.root, validity=unjudged.validity, claims=td_claims(quote, unjudged.pck)
            )
    raise VerificationError(
        "the collateral is of other hardware than the Evidence",
        code="collateral:family",
        found=type(collateral.hardware).__name__,
        wanted=evidence.hcl.hardware.name,
    )


def _verify_binding(evidence: AzureEvidence, guest: SnpClaims | TdClaims) -> None:
    wanted = evidence.hcl.report_data
    if guest.report_data != wanted:
        raise VerificationError(
            "the hardware does not vouch for the paravisor's claims",
            code="binding:runtime claims",
            found=guest.report_data.hex(),
            wanted=wanted.hex(),
        )
    if isinstance(evidence.guest, TdQuote):
        _verify_quoted(evidence.hcl, evidence.guest)


def _verify_quoted(hcl: HclReport, quote: TdQuote) -> None:
    kept = b"".join(hcl.hardware_report[part] for part in _QUOTED_PARTS)
    if not quote.dcap.body.startswith(kept):
        raise VerificationError(
            "the TD quote is not of the report that the paravisor kept",
            code="binding:td report",
            found=quote.report.mr_td.hex(),
            wanted=hcl.hardware_report[528:576].hex(),
        )
