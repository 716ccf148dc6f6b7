"""Reference Values for Azure confidential VMs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from sealmesh.attestation.azure import AzureClaims
from sealmesh.attestation.family import Family
from sealmesh.attestation.reference.compare import empty, registers, require_length
from sealmesh.attestation.reference.snp import SnpReference
from sealmesh.attestation.reference.tdx import TdxReference
from sealmesh.attestation.snp import SnpClaims
from sealmesh.attestation.tcb import TcbAppraisal
from sealmesh.attestation.tpm import Bank
from sealmesh.errors.attestation import Mismatch

_SECURE_BOOT = "secure-boot"


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureReference:
    """Reference Values for an Azure VM: its paravisor by the hardware, its software by the vTPM.

    Attributes:
        paravisor: What the hardware must say. Without it any firmware could play the vTPM.
        pcrs: The vTPM's registers of the SHA-256 bank. Without them any software could run in the VM.
        secure_boot: What the paravisor's claims must say; None: either.
    """

    family: ClassVar[Family] = Family.AZURE

    paravisor: SnpReference | TdxReference
    pcrs: Mapping[int, bytes] = field(default_factory=dict)
    secure_boot: bool | None = None

    def __post_init__(self) -> None:
        for index, value in self.pcrs.items():
            require_length(f"PCR {index}", value, Bank.SHA256.length)

    @property
    def is_empty(self) -> bool:
        """Whether any software, or any paravisor, would do."""
        return not self.pcrs or self.paravisor.is_empty

    @property
    def debug(self) -> bool:
        """Whether the VM must be a debug one."""
        return self.paravisor.debug

    def differences(self, claims: AzureClaims, tcb: TcbAppraisal) -> Iterator[Mismatch]:
        """Yield everything that is not as wanted."""
        if not self.pcrs:
            yield empty("PCRs of the vTPM")
        yield from (
            replace(mismatch, field=f"Paravisor.{mismatch.field}") for mismatch in self._hardware(claims, tcb)
        )
        yield from registers(claims.pcrs.get(Bank.SHA256, {}), self.pcrs)
        found = claims.vm_configuration.get(_SECURE_BOOT)
        if self.secure_boot is not None and found is not self.secure_boot:
            yield Mismatch(field="SecureBoot", found=str(found).lower(), wanted=str(self.secure_boot).lower())

    def _hardware(self, claims: AzureClaims, tcb: TcbAppraisal) -> Iterator[Mismatch]:
        match self.paravisor, claims.guest:
            case SnpReference() as reference, SnpClaims() as guest:
                yield from reference.differences(guest, tcb)
            case TdxReference() as reference, guest if not isinstance(guest, SnpClaims):
                yield from reference.differences(guest, tcb)
            case reference, guest:
                found = Family.SNP if isinstance(guest, SnpClaims) else Family.TDX
                yield Mismatch(field="Family", found=found, wanted=reference.family)
