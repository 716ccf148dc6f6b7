"""A simulated SGX platform: a throw-away vendor, and quotes that are byte-exact DCAP.

Nothing here protects anything: whoever has the platform's keys can make Evidence of anything. Its
quotes go through the same verifier as Intel's and differ from them in the root certificate only.

Pure: keys come from the entropy that is handed in, times are arguments. The directory on disk that
keeps a platform is `sealmesh.adapters.attester.platform`.
"""

from sealmesh.attestation.simulated.content import (
    EnvironmentVariable,
    MeasuredFile,
    PackageContent,
    differences,
    measure,
)
from sealmesh.attestation.simulated.enclave import SealMode, SimulatedEnclave
from sealmesh.attestation.simulated.endorsements import EndorsementPlan, issue_collateral, issue_td_collateral
from sealmesh.attestation.simulated.nitro import SimulatedHypervisor, SimulatedNitroEnclave, create_hypervisor
from sealmesh.attestation.simulated.platform import QuotingEnclave, SimulatedPlatform, create_platform
from sealmesh.attestation.simulated.signature import (
    SignatureStructure,
    parse_signature_structure,
    sign_package,
    signer_id,
)
from sealmesh.attestation.simulated.snp import SimulatedChip, SimulatedGuest, create_chip
from sealmesh.attestation.simulated.td import SimulatedTd, td_quote
from sealmesh.attestation.simulated.tpm import SimulatedTpm, create_tpm
from sealmesh.attestation.simulated.tpm_boot import SimulatedBoot
from sealmesh.attestation.simulated.vendor import SimulatedVendor, create_vendor

__all__ = [
    "EndorsementPlan",
    "EnvironmentVariable",
    "MeasuredFile",
    "PackageContent",
    "QuotingEnclave",
    "SealMode",
    "SignatureStructure",
    "SimulatedBoot",
    "SimulatedChip",
    "SimulatedEnclave",
    "SimulatedGuest",
    "SimulatedHypervisor",
    "SimulatedNitroEnclave",
    "SimulatedPlatform",
    "SimulatedTd",
    "SimulatedTpm",
    "SimulatedVendor",
    "create_chip",
    "create_hypervisor",
    "create_platform",
    "create_tpm",
    "create_vendor",
    "differences",
    "issue_collateral",
    "issue_td_collateral",
    "measure",
    "parse_signature_structure",
    "sign_package",
    "signer_id",
    "td_quote",
]
