"""SNP reports through the ioctl `SNP_GET_EXT_REPORT` of Linux's `/dev/sev-guest`.

`include/uapi/linux/sev-guest.h`; the answer is `MSG_REPORT_RSP` of the SEV-SNP firmware ABI (AMD 56860,
section 7.3), the host's certificates are in the table of the GHCB specification (AMD 56421, section 4.1.8.1).
"""

import ctypes
import fcntl
from pathlib import Path
from typing import ClassVar, Final

from sealmesh.adapters.sev_guest import Ioctl, NoAnswer, ask
from sealmesh.attestation import REPORT_DATA_LENGTH
from sealmesh.errors.attestation import PlatformError

#: _IOWR('S', 2, struct snp_guest_request_ioctl), 32 bytes.
SNP_GET_EXT_REPORT: Final = 0xC0205302
REPORT_BYTES: Final = 1184
CERTIFICATE_BYTES: Final = 0x4000
"""SEV_FW_BLOB_MAX_SIZE, the most that the driver takes; a multiple of the page size."""


class ExtendedReportRequest(ctypes.Structure):
    """`struct snp_ext_report_req`, which begins with `struct snp_report_req`."""

    _fields_: ClassVar = [
        ("user_data", ctypes.c_uint8 * 64),
        ("vmpl", ctypes.c_uint32),
        ("rsvd", ctypes.c_uint8 * 28),
        ("certs_address", ctypes.c_uint64),
        ("certs_len", ctypes.c_uint32),
    ]


class ReportResponse(ctypes.Structure):
    """`struct snp_report_resp` (4000 bytes), which begins with `MSG_REPORT_RSP`."""

    _fields_: ClassVar = [
        ("status", ctypes.c_uint32),
        ("report_size", ctypes.c_uint32),
        ("rsvd", ctypes.c_uint8 * 24),
        ("report", ctypes.c_uint8 * REPORT_BYTES),
        ("rest", ctypes.c_uint8 * (4000 - 32 - REPORT_BYTES)),
    ]


class SevGuestAttester:
    """Reports of this guest at privilege level 0, with the certificates that the host gives.

    Args:
        device: The guest device.
        ioctl: The system call, for tests that emulate the firmware.
    """

    def __init__(self, device: Path, *, ioctl: Ioctl = fcntl.ioctl) -> None:
        self.device = device
        self._ioctl = ioctl

    def evidence(self, report_data: bytes) -> bytes:
        """Return a report over `report_data`, at most 64 bytes, and the certificate table behind it."""
        table = (ctypes.c_uint8 * CERTIFICATE_BYTES)()
        data = (ctypes.c_uint8 * 64)(*report_data.ljust(REPORT_DATA_LENGTH, b"\0"))
        request = ExtendedReportRequest(
            user_data=data, certs_address=ctypes.addressof(table), certs_len=CERTIFICATE_BYTES
        )
        response = ReportResponse()
        try:
            ask(self.device, SNP_GET_EXT_REPORT, request, response, ioctl=self._ioctl)
        except NoAnswer as error:
            raise _refusal(str(error)) from error
        if response.status or response.report_size != REPORT_BYTES:
            raise _refusal(f"status {response.status:#x}, {response.report_size} bytes")
        return bytes(response.report) + _used(bytes(table))

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"SNP reports from {self.device}"


def _used(table: bytes) -> bytes:
    """Return the table as far as its entries (GUID, offset, length) reach; empty if it has none."""
    end = 0
    for place in range(0, len(table) - 24, 24):
        entry = table[place : place + 24]
        if not any(entry):
            break
        end = max(
            end, int.from_bytes(entry[16:20], "little") + int.from_bytes(entry[20:24], "little"), place + 48
        )
    return table[:end]


def _refusal(found: str) -> PlatformError:
    return PlatformError(
        "the SEV firmware gives no report",
        found=found,
        wanted=f"a report of {REPORT_BYTES} bytes",
        remedy="Run it as root in an SEV-SNP guest whose kernel has the sev-guest driver.",
    )
