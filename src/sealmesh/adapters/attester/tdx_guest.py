"""Quotes of a TD: the TDREPORT by Linux's `/dev/tdx_guest`, the quote by the host's QGS.

`include/uapi/linux/tdx-guest.h` (since 6.2): the ioctl `TDX_CMD_GET_REPORT0` takes 64 bytes of report data
and gives a TDREPORT (Intel TDX module, TDREPORT_STRUCT, 1024 bytes), which only this processor can check.
"""

import ctypes
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from sealmesh.adapters.attester.quoting_service import QuotingService
from sealmesh.attestation import REPORT_DATA_LENGTH
from sealmesh.errors.attestation import PlatformError

#: _IOWR('T', 1, struct tdx_report_req), 1088 bytes.
TDX_CMD_GET_REPORT0: Final = 0xC4405401
REPORT_BYTES: Final = 1024

Ioctl = Callable[[int, int, ctypes.Structure], int]


class ReportRequest(ctypes.Structure):
    """`struct tdx_report_req`."""

    _fields_: ClassVar = [
        ("reportdata", ctypes.c_uint8 * REPORT_DATA_LENGTH),
        ("tdreport", ctypes.c_uint8 * REPORT_BYTES),
    ]


class TdxGuestAttester:
    """Quotes of this TD.

    Args:
        device: The guest device.
        service: Makes a quote of a TDREPORT.
        ioctl: The system call, for tests that emulate the module.
    """

    def __init__(self, device: Path, service: QuotingService, *, ioctl: Ioctl = fcntl.ioctl) -> None:
        self._device = device
        self._service = service
        self._ioctl = ioctl

    def evidence(self, report_data: bytes) -> bytes:
        """Return a quote over `report_data`, at most 64 bytes."""
        data = report_data.ljust(REPORT_DATA_LENGTH, b"\0")
        request = ReportRequest(reportdata=(ctypes.c_uint8 * REPORT_DATA_LENGTH)(*data))
        try:
            descriptor = os.open(self._device, os.O_RDWR | os.O_SYNC | os.O_CLOEXEC)
            try:
                self._ioctl(descriptor, TDX_CMD_GET_REPORT0, request)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise PlatformError(
                "the TDX module gives no report",
                found=f"{self._device}: {error.strerror}",
                wanted=f"a report of {REPORT_BYTES} bytes",
                remedy="Run it as root in a TD whose kernel has the tdx-guest driver (Linux 6.2 or later).",
            ) from error
        return self._service.quote(bytes(request.tdreport))

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"TDX quotes from {self._device} and {self._service.describe()}"
