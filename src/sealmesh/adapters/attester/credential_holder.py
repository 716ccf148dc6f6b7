"""What a device with a TPM can do besides Evidence."""

from typing import Protocol, runtime_checkable

from sealmesh.attestation.tpm import Credential


@runtime_checkable
class CredentialHolder(Protocol):
    """Can show that its attestation key is in the TPM of its EK certificate."""

    def activate_credential(self, credential: Credential) -> bytes:
        """Return the secret in a credential for this TPM and its attestation key.

        Raises:
            PlatformError: It is for another TPM or key, or there is no TPM.
        """
        ...
