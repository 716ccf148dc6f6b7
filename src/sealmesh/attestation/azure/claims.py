"""What verified Evidence of an Azure confidential VM says."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.attestation.azure.runtime_claims import Setting
from sealmesh.attestation.snp import SnpClaims
from sealmesh.attestation.tdx import TdClaims
from sealmesh.attestation.tpm import Bank
from sealmesh.attestation.tpm.attest import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureClaims:
    """Facts about a VM, its paravisor and its processor. Whether they are wanted is for `appraise`.

    Attributes:
        nonce: What the challenger sent to the vTPM; the report data of other families. (The report data of
            `guest` is the paravisor's.)
        pcrs: The vTPM's registers.
        clock: The vTPM's clock.
        vm_configuration: What the paravisor says about the VM, e.g. `secure-boot`.
        user_data: 64 bytes from the guest in the paravisor's claims; empty where there are none.
        guest: What the hardware says. Its measurement is the paravisor's, not the guest's software.
    """

    nonce: bytes
    pcrs: Mapping[Bank, Mapping[int, bytes]]
    clock: Clock
    vm_configuration: Mapping[str, Setting]
    user_data: bytes
    guest: SnpClaims | TdClaims
