"""The SGX enclave report body: 384 bytes that the processor fills in.

Used twice: for the quoted enclave, and for the quoting enclave itself.
Source: Intel SGX ECDSA Quote Library API, appendix A, "Enclave Report Body"; Intel SDM volume 3D,
REPORT structure. Reserved bytes are not interpreted: they are signed, and processors to come may use them.
"""

import struct
from dataclasses import dataclass

from sealmesh.attestation.reader import Reader

REPORT_LENGTH = 384
#: CPUSVN, MISCSELECT, (reserved, ISVEXTPRODID), ATTRIBUTES, MRENCLAVE, (reserved), MRSIGNER,
#: (reserved, CONFIGID), ISVPRODID, ISVSVN, (CONFIGSVN, reserved, ISVFAMILYID), REPORTDATA.
_FIELDS = struct.Struct("<16s4s28x16s32s32x32s96xHH60x64s")
ATTRIBUTE_INIT = 0x01
ATTRIBUTE_DEBUG = 0x02
ATTRIBUTE_MODE64 = 0x04
ATTRIBUTE_PROVISION_KEY = 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclaveReport:
    """The fields of an enclave report body.

    Attributes:
        cpu_svn: 16 security versions of the processor's components.
        misc_select: 4 bytes, as they lie in the report.
        attributes: 16 bytes: flags (8) and XFRM (8).
        mr_enclave: 32 bytes, the measurement of what was loaded.
        mr_signer: 32 bytes, SHA-256 of the signer's modulus.
        report_data: 64 bytes chosen by the enclave.
    """

    cpu_svn: bytes
    misc_select: bytes
    attributes: bytes
    mr_enclave: bytes
    mr_signer: bytes
    isv_prod_id: int
    isv_svn: int
    report_data: bytes

    @property
    def debug(self) -> bool:
        """Whether a debugger may read the enclave's memory."""
        return bool(self.attributes[0] & ATTRIBUTE_DEBUG)


def parse_enclave_report(raw: bytes) -> EnclaveReport:
    """Parse the 384 bytes of a report body.

    Raises:
        EvidenceFormatError: The length is another.
    """
    reader = Reader(raw, "enclave report")
    fields = _FIELDS.unpack(reader.take(REPORT_LENGTH, "its fields"))
    reader.finish()
    return EnclaveReport(
        cpu_svn=fields[0],
        misc_select=fields[1],
        attributes=fields[2],
        mr_enclave=fields[3],
        mr_signer=fields[4],
        isv_prod_id=fields[5],
        isv_svn=fields[6],
        report_data=fields[7],
    )


def encode_enclave_report(report: EnclaveReport) -> bytes:
    """Return the 384 bytes of `report`, reserved bytes zero."""
    return b"".join(
        (
            report.cpu_svn,
            report.misc_select,
            bytes(28),
            report.attributes,
            report.mr_enclave,
            bytes(32),
            report.mr_signer,
            bytes(96),
            report.isv_prod_id.to_bytes(2, "little"),
            report.isv_svn.to_bytes(2, "little"),
            bytes(60),
            report.report_data,
        )
    )
