"""What a verified SGX quote says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclaveClaims:
    """Facts about an enclave and the platform it runs on. Whether they are wanted is for `appraise`.

    Attributes:
        mr_enclave: 32 bytes (UniqueID).
        mr_signer: 32 bytes (SignerID).
        isv_prod_id: ProductID.
        isv_svn: SecurityVersion.
        debug: Whether the enclave's memory can be read by a debugger.
        attributes: 16 bytes: flags and XFRM.
        report_data: 64 bytes that the enclave chose.
        fmspc: 6 bytes, the kind of platform.
        ppid: 16 bytes, this one platform.
        cpu_svn: 16 bytes from the report.
        pce_svn: From the PCK certificate.
        qe_svn: Security version of the quoting enclave.
    """

    mr_enclave: bytes
    mr_signer: bytes
    isv_prod_id: int
    isv_svn: int
    debug: bool
    attributes: bytes
    report_data: bytes
    fmspc: bytes
    ppid: bytes
    cpu_svn: bytes
    pce_svn: int
    qe_svn: int
