"""What a simulated machine measured on its way to a program: the event log, and the registers it leads to.

Crypto-agile log of TCG PC Client Platform Firmware Profile, section 10; registers as Linux and systemd use
them (UAPI group, "Linux TPM PCR Registry"):

     0   firmware's version
     7   secure boot: who signed the program (as the authority in `db`), and that a debugger may be attached
    11   the program: digest of the UniqueID
    12   the program's parameters: ProductID and SecurityVersion
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.attestation.simulated.enclave import SimulatedEnclave
from sealmesh.attestation.tpm.algorithms import Bank

BANKS = (Bank.SHA256, Bank.SHA384)
QUOTED = (0, 7, 11, 12)
_NO_ACTION, _SEPARATOR, _EFI_ACTION, _S_CRTM_VERSION, _IPL = 0x3, 0x4, 0x80000007, 0x8, 0xD
_VARIABLE_AUTHORITY = 0x800000E0
_IMAGE_SECURITY_DATABASE = bytes.fromhex("cbb219d73a3d9645a3bcdad00e67656f")
_FIRMWARE = "sealmesh simulated firmware\0".encode("utf-16-le")
_UINTN_64, _ERRATA, _VERSION_MINOR, _VERSION_MAJOR = 2, 105, 0, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredEvent:
    """One event.

    Attributes:
        pcr: The register it extends.
        type: Its type's number.
        measured: What the digests are of.
        data: Its description; None where it is what was measured.
    """

    pcr: int
    type: int
    measured: bytes
    data: bytes | None = None

    def encode(self) -> bytes:
        """Return the TCG_PCR_EVENT2 (section 10.2.2)."""
        digests = b"".join(_number(bank, 2) + bank.digest(self.measured) for bank in BANKS)
        data = self.measured if self.data is None else self.data
        place = _number(self.pcr, 4) + _number(self.type, 4) + _number(len(BANKS), 4)
        return place + digests + _number(len(data), 4) + data


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedBoot:
    """Events in order."""

    events: tuple[MeasuredEvent, ...]

    @classmethod
    def of(cls, enclave: SimulatedEnclave) -> "SimulatedBoot":
        """Return the boot of a machine that runs this program and nothing else."""
        parameters = f"ProductID {enclave.product_id}, SecurityVersion {enclave.security_version}".encode()
        debugger = MeasuredEvent(pcr=7, type=_EFI_ACTION, measured=b"UEFI Debug Mode")
        return cls(
            events=(
                MeasuredEvent(pcr=0, type=_S_CRTM_VERSION, measured=_FIRMWARE),
                *((debugger,) if enclave.debug else ()),
                *(MeasuredEvent(pcr=pcr, type=_SEPARATOR, measured=bytes(4)) for pcr in range(8)),
                MeasuredEvent(pcr=7, type=_VARIABLE_AUTHORITY, measured=_authority(enclave.signer_id)),
                MeasuredEvent(pcr=11, type=_IPL, measured=enclave.unique_id, data=b"sealmesh package\0"),
                MeasuredEvent(pcr=12, type=_IPL, measured=parameters),
            )
        )

    def log(self) -> bytes:
        """Return the log: a Spec ID event in the old form, then the events."""
        lengths = b"".join(_number(bank, 2) + _number(bank.length, 2) for bank in BANKS)
        versions = bytes((_VERSION_MINOR, _VERSION_MAJOR, _ERRATA, _UINTN_64))
        specification = b"Spec ID Event03\0" + bytes(4) + versions + _number(len(BANKS), 4) + lengths + b"\0"
        head = bytes(4) + _number(_NO_ACTION, 4) + bytes(20) + _number(len(specification), 4)
        return head + specification + b"".join(event.encode() for event in self.events)

    def pcrs(self) -> Mapping[Bank, Mapping[int, bytes]]:
        """Return the registers that are quoted, in each bank."""
        return {bank: {pcr: self._register(bank, pcr) for pcr in QUOTED} for bank in BANKS}

    def _register(self, bank: Bank, pcr: int) -> bytes:
        value = bytes(bank.length)
        for event in self.events:
            if event.pcr == pcr:
                value = bank.digest(value, bank.digest(event.measured))
        return value


def _authority(signer_id: bytes) -> bytes:
    """Return a UEFI_VARIABLE_DATA: the entry of `db` that let the program start (section 10.4.1)."""
    name = "db".encode("utf-16-le")
    lengths = _number(len(name) // 2, 8) + _number(len(signer_id), 8)
    return _IMAGE_SECURITY_DATABASE + lengths + name + signer_id


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")
