"""Reading the body of a TDX quote.

Source: Intel TDX DCAP Quoting Library API, appendix A, "TD Quote Body" (TDX 1.0 and 1.5).
"""

from dataclasses import dataclass

from sealmesh.attestation.dcap.quote import BodyType, DcapQuote
from sealmesh.attestation.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class TdReport:
    """The fields of a TD quote body; lengths as in `TdClaims`.

    Attributes:
        mr_signer_seam: 48 bytes, the signer of the TDX module.
        seam_attributes: 8 bytes, the TDX module's attributes.
    """

    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_signer_seam: bytes
    seam_attributes: bytes
    td_attributes: bytes
    xfam: bytes
    mr_td: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    rtmrs: tuple[bytes, bytes, bytes, bytes]
    report_data: bytes
    mr_service_td: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TdQuote:
    """A quote of a TD, unverified."""

    dcap: DcapQuote
    report: TdReport


def parse_td_quote(quote: DcapQuote) -> TdQuote:
    """Read the body of a TDX quote."""
    reader = Reader(quote.body, "TD quote body")
    tee_tcb_svn = reader.take(16, "TEE_TCB_SVN")
    mr_seam, mr_signer_seam = reader.take(48, "MRSEAM"), reader.take(48, "MRSIGNERSEAM")
    seam_attributes, td_attributes = reader.take(8, "SEAMATTRIBUTES"), reader.take(8, "TDATTRIBUTES")
    xfam, mr_td = reader.take(8, "XFAM"), reader.take(48, "MRTD")
    mr_config_id, mr_owner = reader.take(48, "MRCONFIGID"), reader.take(48, "MROWNER")
    mr_owner_config = reader.take(48, "MROWNERCONFIG")
    rtmrs = (
        reader.take(48, "RTMR0"),
        reader.take(48, "RTMR1"),
        reader.take(48, "RTMR2"),
        reader.take(48, "RTMR3"),
    )
    report_data = reader.take(64, "REPORTDATA")
    mr_service_td = None
    if quote.body_type is BodyType.TD15:
        reader.take(16, "TEE_TCB_SVN_2")
        mr_service_td = reader.take(48, "MRSERVICETD")
    reader.finish()
    report = TdReport(
        tee_tcb_svn=tee_tcb_svn,
        mr_seam=mr_seam,
        mr_signer_seam=mr_signer_seam,
        seam_attributes=seam_attributes,
        td_attributes=td_attributes,
        xfam=xfam,
        mr_td=mr_td,
        mr_config_id=mr_config_id,
        mr_owner=mr_owner,
        mr_owner_config=mr_owner_config,
        rtmrs=rtmrs,
        report_data=report_data,
        mr_service_td=mr_service_td,
    )
    return TdQuote(dcap=quote, report=report)
