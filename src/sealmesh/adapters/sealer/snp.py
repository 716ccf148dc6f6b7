"""Keys that the AMD secure processor derives for an SEV-SNP guest.

`MSG_KEY_REQ` of the SEV-SNP firmware ABI (AMD 56860, section 7.2), through the ioctl `SNP_GET_DERIVED_KEY`
of Linux's `/dev/sev-guest` (`include/uapi/linux/sev-guest.h`). The key depends on the processor (its VCEK,
which changes with the firmware's TCB version), and here on the launch measurement and the guest policy.

There is no `ProductKey`: of the signer only what the host may choose for any guest (family and image id of
the ID block) could be mixed in, not the key that signed it. So it would be open to guests of others.
"""

import ctypes
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from sealmesh.adapters.sealer.keys import UNIQUE_KEY, SealingKey
from sealmesh.errors.store import SealerError

DEVICE: Final = Path("/dev/sev-guest")
#: _IOWR('S', 1, struct snp_guest_request_ioctl), 32 bytes.
SNP_GET_DERIVED_KEY: Final = 0xC0205301
_MESSAGE_VERSION: Final = 1
_VCEK: Final = 0
_GUEST_POLICY: Final = 1 << 0
_MEASUREMENT: Final = 1 << 3
HIGHEST_VMPL: Final = 3

Ioctl = Callable[[int, int, ctypes.Structure], int]


class DerivedKeyRequest(ctypes.Structure):
    """`struct snp_derived_key_req`."""

    _fields_: ClassVar = [
        ("root_key_select", ctypes.c_uint32),
        ("rsvd", ctypes.c_uint32),
        ("guest_field_select", ctypes.c_uint64),
        ("vmpl", ctypes.c_uint32),
        ("guest_svn", ctypes.c_uint32),
        ("tcb_version", ctypes.c_uint64),
    ]


class DerivedKeyResponse(ctypes.Structure):
    """`struct snp_derived_key_resp`, whose 64 bytes are `MSG_KEY_RSP`."""

    _fields_: ClassVar = [
        ("status", ctypes.c_uint32),
        ("rsvd", ctypes.c_uint8 * 28),
        ("key", ctypes.c_uint8 * 32),
    ]


class GuestRequest(ctypes.Structure):
    """`struct snp_guest_request_ioctl`."""

    _fields_: ClassVar = [
        ("msg_version", ctypes.c_uint8),
        ("req_data", ctypes.c_uint64),
        ("resp_data", ctypes.c_uint64),
        ("fw_error", ctypes.c_uint32),
        ("vmm_error", ctypes.c_uint32),
    ]


class SnpKeys:
    """The key of exactly this guest image on this processor (`UniqueKey`).

    Args:
        device: The guest device.
        vmpl: The privilege level of this guest, 0 to 3; 0 unless a paravisor or SVSM runs below it.
        ioctl: The system call, for tests that emulate the firmware.
    """

    kind: Final = "snp"
    modes: Final = (UNIQUE_KEY,)

    def __init__(self, device: Path = DEVICE, *, vmpl: int = 0, ioctl: Ioctl = fcntl.ioctl) -> None:
        self._device = device
        self._vmpl = vmpl
        self._ioctl = ioctl

    def fresh(self, mode: str) -> SealingKey:
        """Return the guest's key; the recipe is the privilege level."""
        recipe = bytes((self._vmpl,))
        return SealingKey(key=self.again(mode, recipe), recipe=recipe)

    def again(self, mode: str, recipe: bytes) -> bytes:
        """Return the guest's key.

        Raises:
            SealerError: The firmware does not give it.
        """
        if mode not in self.modes or len(recipe) != 1 or recipe[0] > HIGHEST_VMPL:
            raise SealerError("`sealed_key` names no key of an SEV-SNP guest", found=mode)
        response = self._derived(
            DerivedKeyRequest(
                root_key_select=_VCEK, guest_field_select=_GUEST_POLICY | _MEASUREMENT, vmpl=recipe[0]
            )
        )
        key = bytes(response.key)
        if response.status or not any(key):
            raise SealerError("The SEV firmware gives no key", found=f"status {response.status:#x}")
        return key

    def current(self, mode: str, recipe: bytes) -> bool:
        """Tell whether it was sealed at this privilege level."""
        del mode
        return recipe == bytes((self._vmpl,))

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"the SEV-SNP key of this guest's measurement from {self._device}"

    def _derived(self, request: DerivedKeyRequest) -> DerivedKeyResponse:
        response = DerivedKeyResponse()
        call = GuestRequest(
            msg_version=_MESSAGE_VERSION,
            req_data=ctypes.addressof(request),
            resp_data=ctypes.addressof(response),
        )
        try:
            descriptor = os.open(self._device, os.O_RDWR | os.O_CLOEXEC)
            try:
                self._ioctl(descriptor, SNP_GET_DERIVED_KEY, call)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise SealerError(
                "The SEV firmware gives no key",
                found=f"{self._device}: {error.strerror}, firmware error {call.fw_error:#x}",
                remedy="Run the Coordinator in an SEV-SNP guest whose kernel has the sev-guest driver, at "
                "the privilege level that is configured (snp:DEVICE?vmpl=N), or choose another --sealer.",
            ) from error
        return response
