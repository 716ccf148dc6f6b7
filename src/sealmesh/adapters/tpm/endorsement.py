"""A TPM's endorsement key and its certificate, and the challenges that only this TPM answers.

TCG EK Credential Profile for TPM 2.0, section 2.2 (where certificates, templates and nonces lie in the
non-volatile memory) and annex B (the default templates); TPM 2.0 Library, part 3, section 12.5.
"""

from dataclasses import dataclass
from typing import Any, Final

from sealmesh.adapters.tpm.connection import TpmConnection
from sealmesh.attestation.tpm import Credential

#: The default templates; a manufacturer provides at least one of them with a certificate.
_KINDS: Final = ("EK-RSA2048", "EK-ECC256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsement:
    """An endorsement key.

    Attributes:
        certificate: Of it, DER; not verified.
        template: From which the TPM makes the key, the same each time.
    """

    certificate: bytes
    template: Any

    def activate(self, tpm: TpmConnection, key_handle: Any, credential: Credential) -> bytes:
        """Return the secret in `credential`, if it is for this EK and the key behind the handle.

        Raises:
            TSS2_Exception, ValueError: It is not; `Tpm.connected` translates both.
        """
        lib, esapi = tpm.library, tpm.esapi
        blob, rest = lib.TPM2B_ID_OBJECT.unmarshal(credential.blob)
        secret, more = lib.TPM2B_ENCRYPTED_SECRET.unmarshal(credential.encrypted_seed)
        if rest != len(credential.blob) or more != len(credential.encrypted_seed):
            raise ValueError("a credential with bytes left over")
        handle, *_ = esapi.create_primary(
            lib.TPM2B_SENSITIVE_CREATE(), self.template, lib.ESYS_TR.ENDORSEMENT
        )
        with tpm.flushed(handle), tpm.session(lib.TPM2_SE.POLICY) as policy:
            # The templates' policy: whoever may use the endorsement hierarchy (annex B.2, PolicyA).
            esapi.policy_secret(lib.ESYS_TR.ENDORSEMENT, policy, b"", b"", b"", 0)
            return bytes(
                esapi.activate_credential(
                    key_handle, handle, blob, secret, session1=lib.ESYS_TR.PASSWORD, session2=policy
                )
            )


def read_endorsement(tpm: TpmConnection) -> Endorsement | None:
    """Return the TPM's endorsement key that has a certificate; None where none is there to be read."""
    from tpm2_pytss.utils import NVReadEK, create_ek_template

    try:
        read = NVReadEK(tpm.esapi)
        for kind in _KINDS:
            certificate, template = create_ek_template(kind, read)
            if certificate:
                return Endorsement(certificate=_without_padding(certificate), template=template)
    except tpm.library.TSS2_Exception:
        return None  # a verifier that knows the attestation key needs no certificate
    return None


def _without_padding(stored: bytes) -> bytes:
    """Return the certificate without what fills its place in the memory: DER says how long it is."""
    if stored[:2] != b"\x30\x82":
        return stored
    return stored[: 4 + int.from_bytes(stored[2:4], "big")]
