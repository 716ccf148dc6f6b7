"""Verification of TDX quotes.

Plan:

 1. The platform (certificates, CRLs, TCB info, QE identity) holds: `dcap.platform`.
 2. The quote's two signatures and its quoting enclave hold: `dcap.quote_signature`.
 3. The TDX module is the vendor's: its identity is `TDX_<major version>` (TEE_TCB_SVN byte 1), or
    the plain `tdxModule` for major version 0; its level follows from its minor version (byte 0).
 4. The platform's TCB level: the first that PCK components, PCESVN and TEE_TCB_SVN reach; bytes 0
    and 1 are left to step 3 where the module has its own identity. None: NotSupported.
 5. The status converges with the module's, then with the quoting enclave's; advisories of all.

Not looked at: measurements, debug, SEPT_VE_DISABLE, the service TD, report data and whether the TCB
status is acceptable. Those are facts for `appraise`.
Source: Intel PCS API v4, "Get TCB Info", procedure for TDX; Intel TDX DCAP Quote Verification Library.
"""

from sealmesh.attestation.dcap.pck import PckPlatform
from sealmesh.attestation.dcap.platform import VerifiedPlatform
from sealmesh.attestation.dcap.quote_signature import CertifiedKey, verify_quote_signature
from sealmesh.attestation.dcap.tcb_info import IsvLevel, TdxModule, match_isv_level, match_tcb_level
from sealmesh.attestation.tcb import TcbAppraisal, TcbStatus, converge
from sealmesh.attestation.tdx.claims import TdClaims
from sealmesh.attestation.tdx.parse import TdQuote, TdReport
from sealmesh.errors.attestation import VerificationError

_ATTRIBUTE_DEBUG = 0x01


def verify_tdx(quote: TdQuote, key: CertifiedKey) -> tuple[TdClaims, TcbAppraisal]:
    """Verify a TDX quote made with a key that was verified before, with its platform (steps 1 and 2).

    Raises:
        VerificationError: The quote's signature or the TDX module does not hold.
    """
    verify_quote_signature(quote.dcap, key.key)
    platform = key.platform
    module_level = _verify_module(quote.report, platform)
    return td_claims(quote, platform.pck), _appraise_tcb(quote.report, platform, module_level, key.level)


def _verify_module(report: TdReport, platform: VerifiedPlatform) -> IsvLevel | None:
    """Accept only the vendor's TDX module; return its level, None where it has none of its own."""
    minor, major = report.tee_tcb_svn[0], report.tee_tcb_svn[1]
    module = _module(platform, major)
    masked = bytes(a & b for a, b in zip(report.seam_attributes, module.attributes_mask, strict=True))
    for field, found, wanted in (
        ("mrsigner", report.mr_signer_seam, module.mr_signer),
        ("attributes", masked, module.attributes),
    ):
        if found != wanted:
            raise VerificationError(
                f"the TDX module's {field} is not the vendor's",
                code=f"tdx module:{field}",
                found=found.hex(),
                wanted=wanted.hex(),
            )
    if not module.id:
        return None
    unsupported = IsvLevel(isv_svn=minor, status=TcbStatus.NOT_SUPPORTED, advisories=())
    return match_isv_level(module.levels, minor) or unsupported


def _module(platform: VerifiedPlatform, major: int) -> TdxModule:
    if major == 0 and platform.tcb_info.tdx_module is not None:
        return platform.tcb_info.tdx_module
    name = f"TDX_{major:02X}"
    for module in platform.tcb_info.tdx_module_identities:
        if module.id.upper() == name:
            return module
    raise VerificationError(
        "the vendor names no TDX module of this version",
        code="tdx module:id",
        found=name,
        wanted=", ".join(module.id for module in platform.tcb_info.tdx_module_identities) or "none",
    )


def _appraise_tcb(
    report: TdReport, platform: VerifiedPlatform, module_level: IsvLevel | None, qe_level: IsvLevel
) -> TcbAppraisal:
    level = match_tcb_level(
        platform.tcb_info.levels,
        components=platform.pck.components,
        pce_svn=platform.pck.pce_svn,
        tdx_components=report.tee_tcb_svn,
        tdx_from=0 if module_level is None else 2,
    )
    platform_status = level.status if level else TcbStatus.NOT_SUPPORTED
    parts = [part for part in (module_level, qe_level) if part is not None]
    status = platform_status
    for part in parts:
        status = converge(status, part.status)
    advisories = {name for part in (level, *parts) if part is not None for name in part.advisories}
    return TcbAppraisal(
        status=status,
        advisories=tuple(sorted(advisories)),
        qe_status=qe_level.status,
        platform_status=platform_status,
        tcb_evaluation=platform.tcb_info.evaluation_number,
        qe_evaluation=platform.qe_identity.evaluation_number,
    )


def td_claims(quote: TdQuote, pck: PckPlatform) -> TdClaims:
    """Return what a quote says; whether it was verified is for the caller."""
    report, qe_report = quote.report, quote.dcap.signature.certification.qe_report
    return TdClaims(
        mr_td=report.mr_td,
        rtmrs=report.rtmrs,
        mr_config_id=report.mr_config_id,
        mr_owner=report.mr_owner,
        mr_owner_config=report.mr_owner_config,
        td_attributes=report.td_attributes,
        xfam=report.xfam,
        debug=bool(report.td_attributes[0] & _ATTRIBUTE_DEBUG),
        report_data=report.report_data,
        tee_tcb_svn=report.tee_tcb_svn,
        mr_seam=report.mr_seam,
        mr_service_td=report.mr_service_td,
        fmspc=pck.fmspc,
        ppid=pck.ppid,
        cpu_svn=qe_report.cpu_svn,
        pce_svn=pck.pce_svn,
        qe_svn=qe_report.isv_svn,
    )
