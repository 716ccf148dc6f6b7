"""A TPM 2.0 of this machine, through tpm2-pytss (extra `tpm`): what sealer and anchor share."""

from sealmesh.adapters.tpm.connection import DEFAULT_TCTI, Tpm, TpmConnection

__all__ = ["DEFAULT_TCTI", "Tpm", "TpmConnection"]
