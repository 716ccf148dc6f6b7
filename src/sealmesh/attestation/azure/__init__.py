"""Azure confidential VMs: a vTPM's quote, and the paravisor's report that vouches for its key."""

from sealmesh.attestation.azure.claims import AzureClaims
from sealmesh.attestation.azure.evidence import AzureEvidence, is_azure_evidence, parse_azure_evidence
from sealmesh.attestation.azure.verify import AzureCollateral, verify_azure

__all__ = [
    "AzureClaims",
    "AzureCollateral",
    "AzureEvidence",
    "is_azure_evidence",
    "parse_azure_evidence",
    "verify_azure",
]
