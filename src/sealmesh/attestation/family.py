"""The families of TEEs."""

from enum import StrEnum


class Family(StrEnum):
    """A kind of TEE: one form of Evidence, one way to verify it; or several of them together."""

    SGX = "sgx"
    TDX = "tdx"
    SNP = "snp"
    NITRO = "nitro"
    TPM = "tpm"
    AZURE = "azure"
    CCA = "cca"
    GPU = "gpu"
    COMPOSITE = "composite"
