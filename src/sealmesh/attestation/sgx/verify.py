"""Verification of SGX quotes.

Plan:

 1. The platform (certificates, CRLs, TCB info, QE identity) holds: `dcap.platform`.
 2. The quote's two signatures and its quoting enclave hold: `dcap.quote_signature`.
 3. The platform's TCB level: the first level that PCK components and PCESVN reach; none: NotSupported.
 4. The status converges with the quoting enclave's; advisories of both.

Not looked at: MRENCLAVE, MRSIGNER, versions, debug, report data and whether the TCB status is
acceptable. Those are facts for `appraise`.
"""

from sealmesh.attestation.dcap.platform import VerifiedPlatform
from sealmesh.attestation.dcap.quote_signature import CertifiedKey, verify_quote_signature
from sealmesh.attestation.dcap.tcb_info import IsvLevel, match_tcb_level
from sealmesh.attestation.sgx.claims import EnclaveClaims
from sealmesh.attestation.sgx.parse import SgxQuote
from sealmesh.attestation.tcb import TcbAppraisal, TcbStatus, converge


def verify_sgx(quote: SgxQuote, key: CertifiedKey) -> tuple[EnclaveClaims, TcbAppraisal]:
    """Verify an SGX quote made with a key that was verified before, with its platform (steps 1 and 2).

    Raises:
        VerificationError: The quote's signature does not hold.
    """
    verify_quote_signature(quote.dcap, key.key)
    platform = key.platform
    return _claims(quote, platform), appraise_tcb(platform, key.level)


def appraise_tcb(platform: VerifiedPlatform, qe_level: IsvLevel) -> TcbAppraisal:
    """Return what TCB info and QE identity say about this platform (steps 3 and 4)."""
    level = match_tcb_level(
        platform.tcb_info.levels, components=platform.pck.components, pce_svn=platform.pck.pce_svn
    )
    status = level.status if level else TcbStatus.NOT_SUPPORTED
    advisories = {*(level.advisories if level else ()), *qe_level.advisories}
    return TcbAppraisal(
        status=converge(status, qe_level.status),
        advisories=tuple(sorted(advisories)),
        qe_status=qe_level.status,
        platform_status=status,
        tcb_evaluation=platform.tcb_info.evaluation_number,
        qe_evaluation=platform.qe_identity.evaluation_number,
    )


def _claims(quote: SgxQuote, platform: VerifiedPlatform) -> EnclaveClaims:
    report, pck = quote.report, platform.pck
    return EnclaveClaims(
        mr_enclave=report.mr_enclave,
        mr_signer=report.mr_signer,
        isv_prod_id=report.isv_prod_id,
        isv_svn=report.isv_svn,
        debug=report.debug,
        attributes=report.attributes,
        report_data=report.report_data,
        fmspc=pck.fmspc,
        ppid=pck.ppid,
        cpu_svn=report.cpu_svn,
        pce_svn=pck.pce_svn,
        qe_svn=quote.dcap.signature.certification.qe_report.isv_svn,
    )
