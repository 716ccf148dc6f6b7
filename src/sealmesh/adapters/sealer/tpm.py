"""Keys sealed by a TPM to the values of platform configuration registers (PCRs).

A random key is sealed as a data object under the owner's storage key, with `PolicyPCR` as its only
authorization (TCG TPM 2.0 Library, part 1, 19.7 and part 3, 23.7). The TPM gives it back while the registers
have the values that they had at sealing: the same firmware, kernel and Coordinator, as far as they are
measured. That is `UniqueKey`. `ProductKey` would need the signer in the policy, and is refused.
"""

from collections.abc import Callable
from typing import Any, Final

from sealmesh.adapters.sealer.keys import UNIQUE_KEY, SealingKey
from sealmesh.adapters.tpm import Tpm, TpmConnection
from sealmesh.errors.store import SealerError
from sealmesh.sealing import KEY_BYTES


class TpmKeys:
    """Keys of exactly this measured software on this machine (`UniqueKey`).

    Args:
        tpm: The TPM.
        pcrs: Which registers, as `sha256:0,4,7`; what is not measured into them is not bound.
        entropy: Random bytes for keys.
    """

    kind: Final = "tpm"
    modes: Final = (UNIQUE_KEY,)

    def __init__(self, tpm: Tpm, *, pcrs: str, entropy: Callable[[int], bytes]) -> None:
        self._tpm = tpm
        self._pcrs = pcrs
        self._entropy = entropy

    def fresh(self, mode: str) -> SealingKey:
        """Return a new key, sealed to the registers as they are now.

        Raises:
            SealerError: Another mode.
            TpmError: The TPM refuses.
        """
        _check(mode)
        key, lib = self._entropy(KEY_BYTES), self._tpm.library
        with self._tpm.connected() as tpm, tpm.storage_key() as parent:
            with tpm.session(lib.TPM2_SE.TRIAL) as trial:
                tpm.esapi.policy_pcr(trial, b"", lib.TPML_PCR_SELECTION.parse(self._pcrs))
                policy = tpm.esapi.policy_get_digest(trial)
            with tpm.session(lib.TPM2_SE.HMAC, salted_to=parent) as encrypting:
                private, public, *_ = tpm.esapi.create(
                    parent, _sensitive(lib, key), _sealed_object(lib, policy), session2=encrypting
                )
        parts = (self._pcrs.encode("ascii"), public.marshal(), private.marshal())
        return SealingKey(key=key, recipe=b"".join(len(part).to_bytes(2, "big") + part for part in parts))

    def again(self, mode: str, recipe: bytes) -> bytes:
        """Return the key while the registers are as they were.

        Raises:
            SealerError: Another mode, or a recipe that was not written here.
            TpmError: The registers have other values, the TPM is another one, or it refuses otherwise.
        """
        _check(mode)
        pcrs, public, private = _parts(recipe)
        lib = self._tpm.library
        with self._tpm.connected() as tpm, tpm.storage_key() as parent:
            handle = tpm.esapi.load(
                parent, lib.TPM2B_PRIVATE.unmarshal(private)[0], lib.TPM2B_PUBLIC.unmarshal(public)[0]
            )
            with tpm.flushed(handle):
                return _unsealed(tpm, handle, parent, pcrs.decode("ascii", "replace"))

    def current(self, mode: str, recipe: bytes) -> bool:
        """Tell whether it was sealed to the registers that are configured."""
        del mode
        return _parts(recipe)[0] == self._pcrs.encode("ascii")

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"the TPM at {self._tpm.tcti}, PCRs {self._pcrs}"


def _unsealed(tpm: TpmConnection, handle: Any, parent: Any, pcrs: str) -> bytes:
    lib = tpm.library
    with tpm.session(lib.TPM2_SE.POLICY, salted_to=parent) as policy:
        tpm.esapi.policy_pcr(policy, b"", lib.TPML_PCR_SELECTION.parse(pcrs))
        return bytes(tpm.esapi.unseal(handle, session1=policy))


def _sensitive(lib: Any, key: bytes) -> Any:
    return lib.TPM2B_SENSITIVE_CREATE(sensitive=lib.TPMS_SENSITIVE_CREATE(data=lib.TPM2B_SENSITIVE_DATA(key)))


def _sealed_object(lib: Any, policy: Any) -> Any:
    # No USERWITHAUTH: only the policy opens it. NODA: there is no password to guess.
    attributes = lib.TPMA_OBJECT.FIXEDTPM | lib.TPMA_OBJECT.FIXEDPARENT | lib.TPMA_OBJECT.NODA
    public = lib.TPM2B_PUBLIC.parse("keyedhash", objectAttributes=attributes)
    public.publicArea.authPolicy = policy
    return public


def _check(mode: str) -> None:
    if mode != UNIQUE_KEY:
        raise SealerError("`sealed_key` names no key that a TPM keeps", found=mode)


def _parts(recipe: bytes) -> tuple[bytes, bytes, bytes]:
    parts, rest = [], recipe
    while len(rest) >= 2 and len(rest) >= (end := 2 + int.from_bytes(rest[:2], "big")):
        parts.append(rest[2:end])
        rest = rest[end:]
    if rest or len(parts) != 3:
        raise SealerError("`sealed_key` holds no object of a TPM", found=f"{len(recipe)} bytes")
    return parts[0], parts[1], parts[2]
