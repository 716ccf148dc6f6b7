"""The interfaces by which a real TEE gives Evidence to the program in it: found by themselves, or named."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, assert_never

from sealmesh.adapters.attester.azure import AzureAttester
from sealmesh.adapters.attester.device_choice import (
    AUTO,
    AzureChoice,
    DeviceChoice,
    RealChoice,
    TdxGuestChoice,
    TpmChoice,
)
from sealmesh.adapters.attester.gramine import GramineAttester
from sealmesh.adapters.attester.metadata_service import MetadataService
from sealmesh.adapters.attester.nsm import NsmAttester
from sealmesh.adapters.attester.quoting_service import QuotingService, configured_port
from sealmesh.adapters.attester.sev_guest import SevGuestAttester
from sealmesh.adapters.attester.tdx_guest import TdxGuestAttester
from sealmesh.adapters.attester.tpm import TpmAttester
from sealmesh.adapters.attester.tsm import TsmAttester
from sealmesh.adapters.tpm import Tpm
from sealmesh.errors.attestation import PlatformError

_TDX_GUEST: Final = Path("/dev/tdx_guest")
_TPM: Final = Path("/dev/tpmrm0")
_ASSET_TAG: Final = Path("/sys/class/dmi/id/chassis_asset_tag")
_AZURES_TAG: Final = "7783-7084-3265-9085-8269-3286-77"
"""What every VM of Azure shows as its chassis' asset tag."""


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
class _Kind:
    path: Path
    open: Callable[[Path], EvidenceDevice]


def _open_tdx_guest(path: Path) -> EvidenceDevice:
    return TdxGuestAttester(path, QuotingService(configured_port()))


#: In the order in which they are looked for: a Gramine enclave may run in a confidential VM.
_KINDS: Final = {
    "gramine": _Kind(Path("/dev/attestation"), GramineAttester),
    "nitro": _Kind(Path("/dev/nsm"), NsmAttester),
    "tsm": _Kind(Path("/sys/kernel/config/tsm/report"), TsmAttester),
    "tdx-guest": _Kind(_TDX_GUEST, _open_tdx_guest),
    "sev-guest": _Kind(Path("/dev/sev-guest"), SevGuestAttester),
}


def open_device(
    choice: RealChoice,
    *,
    exists: Callable[[Path], bool] = Path.exists,
    read_text: Callable[[Path], str] = Path.read_text,
) -> EvidenceDevice:
    """Return the device of `choice`.

    Raises:
        PlatformError: `auto`, and there is none; or a file that configures it cannot be read.
        TpmError: The library for TPMs is not there.
    """
    match choice:
        case TpmChoice(tcti=tcti, pcrs=pcrs):
            return TpmAttester(Tpm(tcti), pcrs)
        case AzureChoice(tcti=tcti, metadata=metadata):
            return AzureAttester(Tpm(tcti), MetadataService(metadata))
        case TdxGuestChoice(path=path, port=port):
            service = QuotingService(configured_port() if port is None else port)
            return TdxGuestAttester(path or _TDX_GUEST, service)
        case DeviceChoice(kind=kind, path=path) if kind != AUTO:
            return _KINDS[kind].open(path or _KINDS[kind].path)
        case DeviceChoice():
            return _found(exists, read_text)
    assert_never(choice)


def _found(exists: Callable[[Path], bool], read_text: Callable[[Path], str]) -> EvidenceDevice:
    for kind in _KINDS.values():
        if exists(kind.path):
            return kind.open(kind.path)
    if exists(_TPM) and exists(_ASSET_TAG) and read_text(_ASSET_TAG).strip() == _AZURES_TAG:
        return open_device(AzureChoice())
    looked_at = [str(kind.path) for kind in _KINDS.values()]
    raise PlatformError(
        "this machine shows no TEE",
        found=f"none of {', '.join(looked_at)}, and no vTPM of Azure's at {_TPM}",
        remedy="Run it in a TEE, load the kernel's driver, or name the device with --attester "
        "(SEALMESH_ATTESTER); without a TEE: --attester simulated.",
    )
