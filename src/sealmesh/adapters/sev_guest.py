"""What a guest asks of the AMD secure processor through an ioctl of Linux's `/dev/sev-guest`.

`include/uapi/linux/sev-guest.h`. The requests themselves are with those who ask: `attester.sev_guest` for
reports, `sealer.snp` for keys.
"""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

DEVICE: Final = Path("/dev/sev-guest")
_MESSAGE_VERSION: Final = 1

#: The system call, as `fcntl.ioctl`; tests emulate the firmware with another.
Ioctl = Callable[[int, int, ctypes.Structure], int]


class GuestRequest(ctypes.Structure):
    """`struct snp_guest_request_ioctl`."""

    _fields_: ClassVar = [
        ("msg_version", ctypes.c_uint8),
        ("req_data", ctypes.c_uint64),
        ("resp_data", ctypes.c_uint64),
        ("fw_error", ctypes.c_uint32),
        ("vmm_error", ctypes.c_uint32),
    ]


class NoAnswer(Exception):
    """The device cannot be used, or firmware or host refused; the text says which."""


def ask(
    device: Path, number: int, request: ctypes.Structure, response: ctypes.Structure, *, ioctl: Ioctl
) -> None:
    """Have the firmware fill in `response`.

    Raises:
        NoAnswer: It did not.
    """
    call = GuestRequest(
        msg_version=_MESSAGE_VERSION,
        req_data=ctypes.addressof(request),
        resp_data=ctypes.addressof(response),
    )
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
        try:
            ioctl(descriptor, number, call)
        finally:
            os.close(descriptor)
    except OSError as error:
        found = f"{device}: {error.strerror}, firmware error {call.fw_error:#x}"
        raise NoAnswer(f"{found}, host's error {call.vmm_error:#x}") from error
