"""Keys that the AMD secure processor derives for an SEV-SNP guest.

`MSG_KEY_REQ` of the SEV-SNP firmware ABI (AMD 56860, section 7.2), through the ioctl `SNP_GET_DERIVED_KEY`
of Linux's `/dev/sev-guest` (`include/uapi/linux/sev-guest.h`). The key depends on the processor (its VCEK,
which changes with the firmware's TCB version), and here on the launch measurement and the guest policy.

There is no `ProductKey`: of the signer only what the host may choose for any guest (family and image id of
the ID block) could be mixed in, not the key that signed it. So it would be open to guests of others.
"""

import ctypes
import fcntl
from pathlib import Path
from typing import ClassVar, Final

from sealmesh.adapters.sealer.keys import UNIQUE_KEY, SealingKey
from sealmesh.adapters.sev_guest import DEVICE, Ioctl, NoAnswer, ask
from sealmesh.errors.store import SealerError

#: _IOWR('S', 1, struct snp_guest_request_ioctl), 32 bytes.
SNP_GET_DERIVED_KEY: Final = 0xC0205301
_VCEK: Final = 0
_GUEST_POLICY: Final = 1 << 0
_MEASUREMENT: Final = 1 << 3
HIGHEST_VMPL: Final = 3


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
        try:
            ask(self._device, SNP_GET_DERIVED_KEY, request, response, ioctl=self._ioctl)
        except NoAnswer as error:
            raise SealerError(
                "The SEV firmware gives no key",
                found=str(error),
                remedy="Run the Coordinator in an SEV-SNP guest whose kernel has the sev-guest driver, at "
                "the privilege level that is configured (snp:DEVICE?vmpl=N), or choose another --sealer.",
            ) from error
        return response
