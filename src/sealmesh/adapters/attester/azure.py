"""Evidence of an Azure confidential VM: the vTPM's quote, and the report of the paravisor that made its key.

Microsoft, "Guest attestation for confidential VMs in Azure: vTPM". NV index 0x01400001 holds the paravisor's
(HCL) report, in which is an SNP report or a TDREPORT; the attestation key that it names is the persistent
object 0x81000003. What the hardware below needs besides (the chip's certificate, a TD quote) has the metadata
service. The result is what Azure's agents write: `attestation.azure.evidence`.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from sealmesh.adapters.attester.metadata_service import MetadataService
from sealmesh.adapters.attester.tpm import read_registers
from sealmesh.adapters.clock import system_clock
from sealmesh.adapters.tpm import Tpm
from sealmesh.adapters.tpm.connection import TpmConnection
from sealmesh.attestation.azure.hcl_report import Hardware, parse_hcl_report
from sealmesh.errors.attestation import EvidenceFormatError, PlatformError
from sealmesh.errors.store import TpmError

HCL_REPORT: Final = 0x01400001
ATTESTATION_KEY: Final = 0x81000003
_REGISTERS: Final = tuple(range(24))
_TD_REPORT_BYTES: Final = 1024
_MAX_REPORT_BYTES: Final = 16 * 1024
_PIECE_BYTES: Final = 1024
"""As much as every TPM gives at once (TPM_PT_NV_BUFFER_MAX of the PC Client profile is 1024)."""
_KEPT_FOR: Final = timedelta(hours=1)
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Below:
    """What the hardware says, for one paravisor's report."""

    report: bytes
    members: dict[str, str]
    endorsements: bytes
    until: datetime


class AzureAttester:
    """Quotes over all registers of the SHA-256 bank. Threads take turns at the vTPM.

    Args:
        tpm: The vTPM.
        service: The metadata service.
        clock: For how long its answers are kept.
    """

    def __init__(
        self, tpm: Tpm, service: MetadataService, *, clock: Callable[[], datetime] = system_clock
    ) -> None:
        self._tpm = tpm
        self._service = service
        self._clock = clock
        self._kept: _Below | None = None
        self._turn = Lock()

    def evidence(self, report_data: bytes) -> bytes:
        """Return Evidence whose quote answers `report_data` without the zeros that fill it up.

        Raises:
            PlatformError: vTPM or metadata service refuse, or this is no Azure confidential VM.
        """
        try:
            with self._tpm.connected() as tpm:
                report = _read_report(tpm)
                quote = _quoted(tpm, report_data.rstrip(b"\0"))
        except TpmError as error:
            raise _refusal(str(error.found)) from error
        document = {
            "version": 1,
            "hcl_report": _base64url(report),
            "tpm_quote": quote,
            **self._below(report).members,
        }
        return json.dumps(document).encode()

    def endorsements(self) -> bytes:
        """Return AMD's CAs (PEM) where the VM runs on SNP; nothing before any Evidence, and on TDX."""
        return b"" if self._kept is None else self._kept.endorsements

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"quotes of Azure's vTPM at {self._tpm.tcti}, with {self._service.describe()}"

    def _below(self, report: bytes) -> _Below:
        with self._turn:
            kept, now = self._kept, self._clock()
            if kept is None or kept.report != report or kept.until < now:
                kept = self._kept = self._fetched(report, now + _KEPT_FOR)
        return kept

    def _fetched(self, report: bytes, until: datetime) -> _Below:
        try:
            hcl = parse_hcl_report(report)
        except EvidenceFormatError as error:
            raise _refusal(error.message) from error
        if hcl.hardware is Hardware.TDX:
            quote = self._service.td_quote(hcl.hardware_report[:_TD_REPORT_BYTES])
            return _Below(
                report=report, members={"td_quote": _base64url(quote)}, endorsements=b"", until=until
            )
        chip = self._service.chip_certificates()
        return _Below(
            report=report,
            members={"vcek": _base64url(chip.vcek)},
            endorsements=chip.authorities,
            until=until,
        )


def _read_report(tpm: TpmConnection) -> bytes:
    """Return the NV index, without the zeros behind the report."""
    handle = tpm.esapi.tr_from_tpmpublic(HCL_REPORT)
    size = int(tpm.esapi.nv_read_public(handle)[0].nvPublic.dataSize)
    if size > _MAX_REPORT_BYTES:
        raise _refusal(f"{size} bytes in NV index {HCL_REPORT:#010x}")
    pieces = [
        bytes(
            tpm.esapi.nv_read(
                handle, min(_PIECE_BYTES, size - start), start, auth_handle=tpm.library.ESYS_TR.OWNER
            )
        )
        for start in range(0, size, _PIECE_BYTES)
    ]
    return b"".join(pieces).rstrip(b"\0")


def _quoted(tpm: TpmConnection, nonce: bytes) -> dict[str, Any]:
    lib = tpm.library
    key = tpm.esapi.tr_from_tpmpublic(ATTESTATION_KEY)
    selection = lib.TPML_PCR_SELECTION.parse(f"sha256:{','.join(map(str, _REGISTERS))}")
    for _ in range(_ATTEMPTS):
        values = read_registers(tpm, _REGISTERS)
        attest, signature = tpm.esapi.quote(key, selection, lib.TPM2B_DATA(nonce))
        if signature.sigAlg != lib.TPM2_ALG.RSASSA:
            raise _refusal(f"a signature of kind {int(signature.sigAlg):#x}")
        if read_registers(tpm, _REGISTERS) == values:
            return {
                "message": bytes(attest).hex(),
                "signature": bytes(signature.signature.rsassa.sig).hex(),
                "pcrs": [values[register].hex() for register in _REGISTERS],
            }
    raise PlatformError("the vTPM's registers change while they are quoted", remedy="Try again later.")


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _refusal(found: str) -> PlatformError:
    return PlatformError(
        "this is no vTPM of an Azure confidential VM",
        found=found,
        wanted=f"the paravisor's report in NV index {HCL_REPORT:#010x}, a key at {ATTESTATION_KEY:#010x}",
        remedy="Run it as root in an Azure confidential VM, or choose another --attester.",
    )
