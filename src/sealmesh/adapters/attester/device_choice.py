"""Which interface of a real TEE makes Evidence, as an operator writes it.

auto                          the first that is there
gramine[:DIR]                 /dev/attestation of gramine-sgx: SGX quotes
nitro[:DEVICE]                /dev/nsm of a Nitro Enclave
tsm[:DIR]                     Linux configfs-tsm: TDX, SNP, CCA
tdx-guest[:DEVICE][?port=N]   /dev/tdx_guest, for TDs with older kernels; the quote from the host's QGS
sev-guest[:DEVICE]            /dev/sev-guest, for SNP guests with older kernels
azure[:TCTI][?imds=URL]       the vTPM of an Azure confidential VM, and Azure's metadata service
tpm[:TCTI]?pcrs=sha256:0,7    a TPM; never found by itself, because a TPM alone may be anybody's
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealmesh.adapters.tpm import DEFAULT_TCTI

AUTO: Final = "auto"
#: In the order in which `auto` looks: a Gramine enclave may run in a confidential VM.
PLAIN_KINDS: Final = ("gramine", "nitro", "tsm", "sev-guest")
FORMS: Final = (
    f"{AUTO}, or {', '.join(PLAIN_KINDS)}, each also with :PATH; tdx-guest[:PATH][?port=N]; "
    "azure[:TCTI][?imds=URL]; tpm[:TCTI]?pcrs=sha256:0,7"
)
METADATA: Final = "http://169.254.169.254"
"""Azure's Instance Metadata Service: on the link of the VM only."""

_TPM: Final = re.compile(r"tpm(?::(?P<tcti>[^?]+))?\?pcrs=sha256:(?P<pcrs>[0-9]{1,2}(?:,[0-9]{1,2})*)")
_TDX: Final = re.compile(r"tdx-guest(?::(?P<path>[^?]+))?(?:\?port=(?P<port>[0-9]{1,10}))?")
_AZURE: Final = re.compile(r"azure(?::(?P<tcti>[^?]+))?(?:\?imds=(?P<imds>http://[A-Za-z0-9.:\[\]-]+))?")
_REGISTERS: Final = range(24)
_PORTS: Final = range(1, 1 << 32)


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """One of them, and where it is; None: where its kind has it."""

    kind: str
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TdxGuestChoice:
    """A TD's device, and the vsock port of the host's Quote Generation Service.

    Attributes:
        path: None: where the kernel has it.
        port: None: what `/etc/tdx-attest.conf` says.
    """

    path: Path | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureChoice:
    """An Azure VM's vTPM by its TCTI, and the metadata service."""

    tcti: str = DEFAULT_TCTI
    metadata: str = METADATA


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmChoice:
    """A TPM by its TCTI, and the registers to quote, in order."""

    tcti: str
    pcrs: tuple[int, ...]


RealChoice = DeviceChoice | TdxGuestChoice | AzureChoice | TpmChoice


def read_device(text: str) -> RealChoice | None:
    """Read a choice; None where it is none of them."""
    if match := _TPM.fullmatch(text):
        pcrs = sorted(map(int, match["pcrs"].split(",")))
        if pcrs[-1] not in _REGISTERS or len(set(pcrs)) != len(pcrs):
            return None
        return TpmChoice(tcti=match["tcti"] or DEFAULT_TCTI, pcrs=tuple(pcrs))
    if match := _TDX.fullmatch(text):
        port = int(match["port"]) if match["port"] else None
        if port is not None and port not in _PORTS:
            return None
        return TdxGuestChoice(path=Path(match["path"]) if match["path"] else None, port=port)
    if match := _AZURE.fullmatch(text):
        return AzureChoice(tcti=match["tcti"] or DEFAULT_TCTI, metadata=match["imds"] or METADATA)
    kind, colon, path = text.partition(":")
    if text == AUTO or (kind in PLAIN_KINDS and bool(colon) is bool(path)):
        return DeviceChoice(kind, Path(path) if path else None)
    return None
