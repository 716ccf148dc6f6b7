"""Reference Values: what Claims must be, one type per family.

Each has `differences`, which yields *every* mismatch, and refuses to accept anything when it names no
software (`is_empty`). Debug is never accepted but by an explicit word, and then demanded.
"""

from sealmesh.attestation.reference.all_of import AllOf, SingleReference
from sealmesh.attestation.reference.azure import AzureReference
from sealmesh.attestation.reference.cca import CcaReference
from sealmesh.attestation.reference.gpu import GpuReference
from sealmesh.attestation.reference.nitro import NitroReference
from sealmesh.attestation.reference.sgx import SgxReference
from sealmesh.attestation.reference.snp import SnpReference
from sealmesh.attestation.reference.tcb import DEFAULT_TCB_STATUSES, NEVER_ACCEPTED
from sealmesh.attestation.reference.tdx import TdxReference
from sealmesh.attestation.reference.tpm import TpmReference

Reference = SingleReference | AllOf
"""What a Package of the Manifest can want."""

__all__ = [
    "DEFAULT_TCB_STATUSES",
    "NEVER_ACCEPTED",
    "AllOf",
    "AzureReference",
    "CcaReference",
    "GpuReference",
    "NitroReference",
    "Reference",
    "SgxReference",
    "SingleReference",
    "SnpReference",
    "TdxReference",
    "TpmReference",
]
