"""The interfaces by which a real TEE gives Evidence to the program in it: found by themselves, or named.

gramine[:DIR]      /dev/attestation of gramine-sgx: SGX quotes
nitro[:DEVICE]     /dev/nsm of a Nitro Enclave
tsm[:DIR]          Linux configfs-tsm: TDX, SNP, CCA
sev-guest[:DEVICE] /dev/sev-guest, for SNP guests with older kernels
auto               the first of these that is there

And `tpm[:TCTI]?pcrs=sha256:0,7`, a TPM; never found by itself, because a TPM alone may be anybody's.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sealmesh.adapters.attester.gramine import GramineAttester
from sealmesh.adapters.attester.nsm import NsmAttester
from sealmesh.adapters.attester.sev_guest import SevGuestAttester
from sealmesh.adapters.attester.tpm import TpmAttester
from sealmesh.adapters.attester.tsm import TsmAttester
from sealmesh.adapters.tpm import DEFAULT_TCTI, Tpm
from sealmesh.errors.attestation import PlatformError

AUTO: Final = "auto"


class EvidenceDevice(Protocol):
    """Gives Evidence of the program that asks."""

    def evidence(self, report_data: bytes) -> bytes:
        """Return Evidence over `report_data`, at most 64 bytes, filled up with zeros.

        Raises:
            PlatformError: The TEE does not give it.
        """
        ...

    def describe(self) -> str:
        """Return one phrase for people."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """One of them, and where it is; None: where its kind has it."""

    kind: str
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmChoice:
    """A TPM by its TCTI, and the registers to quote, in order."""

    tcti: str
    pcrs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    path: Path
    open: Callable[[Path], EvidenceDevice]


#: In the order in which they are looked for: a Gramine enclave may run in a confidential VM.
_KINDS: Final[Mapping[str, _Kind]] = {
    "gramine": _Kind(Path("/dev/attestation"), GramineAttester),
    "nitro": _Kind(Path("/dev/nsm"), NsmAttester),
    "tsm": _Kind(Path("/sys/kernel/config/tsm/report"), TsmAttester),
    "sev-guest": _Kind(Path("/dev/sev-guest"), SevGuestAttester),
}
FORMS: Final = f"{AUTO}, or {', '.join(_KINDS)}, each also with :PATH; tpm[:TCTI]?pcrs=sha256:0,7"
_TPM: Final = re.compile(r"tpm(?::(?P<tcti>[^?]+))?\?pcrs=sha256:(?P<pcrs>[0-9]{1,2}(?:,[0-9]{1,2})*)")
_REGISTERS: Final = range(24)


def read_device(text: str) -> DeviceChoice | TpmChoice | None:
    """Read a choice; None where it is none of them."""
    if match := _TPM.fullmatch(text):
        pcrs = sorted(map(int, match["pcrs"].split(",")))
        if pcrs[-1] not in _REGISTERS or len(set(pcrs)) != len(pcrs):
            return None
        return TpmChoice(tcti=match["tcti"] or DEFAULT_TCTI, pcrs=tuple(pcrs))
    kind, colon, path = text.partition(":")
    if text == AUTO or (kind in _KINDS and bool(colon) is bool(path)):
        return DeviceChoice(kind, Path(path) if path else None)
    return None


def open_device(
    choice: DeviceChoice | TpmChoice, *, exists: Callable[[Path], bool] = Path.exists
) -> EvidenceDevice:
    """Return the device of `choice`.

    Raises:
        PlatformError: `auto`, and there is none.
        TpmError: The library for TPMs is not there.
    """
    if isinstance(choice, TpmChoice):
        return TpmAttester(Tpm(choice.tcti), choice.pcrs)
    if choice.kind != AUTO:
        kind = _KINDS[choice.kind]
        return kind.open(choice.path or kind.path)
    for kind in _KINDS.values():
        if exists(kind.path):
            return kind.open(kind.path)
    raise PlatformError(
        "this machine shows no TEE",
        found="none of " + ", ".join(str(kind.path) for kind in _KINDS.values()),
        remedy="Run it in a TEE, load the kernel's driver, or name the device with --attester "
        "(SEALMESH_ATTESTER); without a TEE: --attester simulated.",
    )
