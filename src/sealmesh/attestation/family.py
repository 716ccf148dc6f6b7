"""The families of TEEs."""

from enum import StrEnum


class Family(StrEnum):
    """A kind of TEE: one form of Evidence, one way to verify it."""

    SGX = "sgx"
    TDX = "tdx"
    SNP = "snp"
    NITRO = "nitro"
    TPM = "tpm"
    AZURE = "azure"
    CCA = "cca"
    GPU = "gpu"
