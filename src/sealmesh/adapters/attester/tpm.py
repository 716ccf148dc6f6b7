"""Quotes of a TPM 2.0 over its PCRs, by an attestation key (AK) that is the same at each start.

TCG TPM 2.0 Library, part 3: TPM2_CreatePrimary, TPM2_PCR_Read, TPM2_Quote. The AK is a primary key of the
endorsement hierarchy: the same template gives the same key until that hierarchy is cleared. Why it is
believed: a verifier knows it, or the TPM has an EK certificate and answers a challenge that is encrypted to
that EK for this AK (`sealmesh.adapters.tpm.endorsement`).
"""

from collections.abc import Sequence
from typing import Any, Final

from sealmesh.adapters.tpm import Tpm
from sealmesh.adapters.tpm.connection import TpmConnection
from sealmesh.adapters.tpm.endorsement import read_endorsement
from sealmesh.attestation import encode_tpm_evidence
from sealmesh.attestation.tpm import Bank, Credential
from sealmesh.errors.attestation import PlatformError
from sealmesh.errors.store import TpmError

_KEY: Final = "ecc256:ecdsa-sha256:null"
_ATTEMPTS: Final = 3
_READ_AT_ONCE: Final = 8


class TpmAttester:
    """Quotes over the SHA-256 bank. Threads take turns.

    Args:
        tpm: The TPM.
        pcrs: Which registers.
    """

    def __init__(self, tpm: Tpm, pcrs: tuple[int, ...]) -> None:
        self.tpm = tpm
        self.pcrs = pcrs

    def evidence(self, report_data: bytes) -> bytes:
        """Return a quote whose nonce is `report_data` without the zeros that fill it up.

        Raises:
            PlatformError: The TPM refuses, or the registers do not come to rest.
        """
        try:
            with self.tpm.connected() as tpm:
                return self._quoted(tpm, report_data.rstrip(b"\0"))
        except TpmError as error:
            raise PlatformError(
                "the TPM gives no quote", found=error.found, wanted="a quote", remedy=error.remedy
            ) from error

    def activate_credential(self, credential: Credential) -> bytes:
        """Return the secret in a credential for this TPM and its AK.

        Raises:
            PlatformError: `platform:credential`: it is for another TPM or key, or there is no EK certificate.
        """
        try:
            with self.tpm.connected() as tpm:
                return self._activated(tpm, credential)
        except TpmError as error:
            raise PlatformError(
                "the TPM does not activate this credential",
                code="platform:credential",
                found=error.found,
                wanted="one for its endorsement key and its attestation key",
                remedy="Ask the Coordinator for another challenge.",
            ) from error

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"quotes of the TPM at {self.tpm.tcti}, PCRs sha256:{','.join(map(str, self.pcrs))}"

    def _quoted(self, tpm: TpmConnection, nonce: bytes) -> bytes:
        lib, esapi = tpm.library, tpm.esapi
        endorsement = read_endorsement(tpm)
        handle, public = _attestation_key(tpm)
        with tpm.flushed(handle):
            for _ in range(_ATTEMPTS):
                values = read_registers(tpm, self.pcrs)
                quote, signature = esapi.quote(handle, self._selection(lib), lib.TPM2B_DATA(nonce))
                if read_registers(tpm, self.pcrs) == values:
                    return encode_tpm_evidence(
                        attest=bytes(quote),
                        signature=signature.marshal(),
                        pcrs={Bank.SHA256: values},
                        key=public.publicArea.marshal(),
                        ek_chain=() if endorsement is None else (endorsement.certificate,),
                    )
        raise PlatformError("the TPM's registers change while they are quoted", remedy="Try again later.")

    def _activated(self, tpm: TpmConnection, credential: Credential) -> bytes:
        endorsement = read_endorsement(tpm)
        if endorsement is None:
            raise PlatformError("the TPM has no EK certificate", code="platform:credential")
        handle, _ = _attestation_key(tpm)
        with tpm.flushed(handle):
            return endorsement.activate(tpm, handle, credential)

    def _selection(self, lib: Any) -> Any:
        return lib.TPML_PCR_SELECTION.parse(f"sha256:{','.join(map(str, self.pcrs))}")


def read_registers(tpm: TpmConnection, registers: Sequence[int]) -> dict[int, bytes]:
    """Return the values of these registers' SHA-256 bank."""
    values: dict[int, bytes] = {}
    for start in range(0, len(registers), _READ_AT_ONCE):
        part = registers[start : start + _READ_AT_ONCE]
        wanted = tpm.library.TPML_PCR_SELECTION.parse(f"sha256:{','.join(map(str, part))}")
        _, _, digests = tpm.esapi.pcr_read(wanted)
        values |= {register: bytes(digests[index]) for index, register in enumerate(part)}
    return values


def _attestation_key(tpm: TpmConnection) -> tuple[Any, Any]:
    """Make the AK; return its handle, to be flushed, and its public area."""
    lib = tpm.library
    attributes = (
        lib.TPMA_OBJECT.USERWITHAUTH
        | lib.TPMA_OBJECT.RESTRICTED
        | lib.TPMA_OBJECT.SIGN_ENCRYPT
        | lib.TPMA_OBJECT.FIXEDTPM
        | lib.TPMA_OBJECT.FIXEDPARENT
        | lib.TPMA_OBJECT.SENSITIVEDATAORIGIN
    )
    template = lib.TPM2B_PUBLIC.parse(_KEY, objectAttributes=attributes)
    handle, public, *_ = tpm.esapi.create_primary(
        lib.TPM2B_SENSITIVE_CREATE(), template, lib.ESYS_TR.ENDORSEMENT
    )
    return handle, public
