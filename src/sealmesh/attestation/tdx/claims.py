"""What a verified TDX quote says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TdClaims:
    """Facts about a TD and the platform it runs on. Whether they are wanted is for `appraise`.

    Attributes:
        mr_td: 48 bytes, the measurement of what the TD was started with.
        rtmrs: Four runtime measurement registers, 48 bytes each.
        mr_config_id: 48 bytes chosen by whoever started the TD, as `mr_owner` and `mr_owner_config`.
        td_attributes: 8 bytes; bit 0 is DEBUG, bit 28 SEPT_VE_DISABLE.
        xfam: 8 bytes, processor features the TD may use.
        debug: Whether the TD's memory can be read from outside.
        report_data: 64 bytes that the TD chose.
        tee_tcb_svn: 16 bytes: versions of the TDX module and its loader.
        mr_seam: 48 bytes, the measurement of the TDX module.
        mr_service_td: 48 bytes, the service TD bound to this one; None before TDX 1.5.
        fmspc: 6 bytes, the kind of platform.
        ppid: 16 bytes, this one platform.
        cpu_svn: 16 bytes from the report of the quoting enclave, which runs on the same processor.
        pce_svn: From the PCK certificate.
        qe_svn: Security version of the quoting enclave.
    """

    mr_td: bytes
    rtmrs: tuple[bytes, bytes, bytes, bytes]
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    td_attributes: bytes
    xfam: bytes
    debug: bool
    report_data: bytes
    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_service_td: bytes | None
    fmspc: bytes
    ppid: bytes
    cpu_svn: bytes
    pce_svn: int
    qe_svn: int
