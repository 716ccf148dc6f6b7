"""SGX seal keys as Gramine hands them out: two pseudo-files of 16 bytes.

Gramine documentation, "Attestation and Secret Provisioning": `/dev/attestation/keys/_sgx_mrenclave` and
`_sgx_mrsigner` are read-only and exist only with real SGX. EGETKEY is asked for the present
security versions of enclave and processor, so raising one changes both keys: such an update needs recovery.
"""

from pathlib import Path
from typing import Final

from sealmesh.adapters.sealer.keys import PRODUCT_KEY, UNIQUE_KEY, SealingKey
from sealmesh.errors.store import SealerError

DIRECTORY: Final = Path("/dev/attestation/keys")
_FILES: Final = {PRODUCT_KEY: "_sgx_mrsigner", UNIQUE_KEY: "_sgx_mrenclave"}
_KEY_BYTES: Final = 16


class GramineKeys:
    """Keys by signer (`ProductKey`) or by measurement (`UniqueKey`).

    Args:
        directory: Where Gramine shows them.
    """

    kind: Final = "gramine"
    modes: Final = (PRODUCT_KEY, UNIQUE_KEY)

    def __init__(self, directory: Path = DIRECTORY) -> None:
        self._directory = directory

    def fresh(self, mode: str) -> SealingKey:
        """Return the enclave's key."""
        return SealingKey(key=self.again(mode, b""))

    def again(self, mode: str, recipe: bytes) -> bytes:
        """Return the enclave's key.

        Raises:
            SealerError: Gramine does not give it.
        """
        if mode not in _FILES or recipe:
            raise SealerError("`sealed_key` names no key that Gramine gives", found=mode)
        path = self._directory / _FILES[mode]
        try:
            key = path.read_bytes()
        except OSError as error:
            raise SealerError(
                "Gramine gives no SGX seal key",
                found=f"{path}: {error.strerror}",
                remedy="Run the Coordinator under gramine-sgx (gramine-direct has no seal keys), or choose "
                "another --sealer.",
            ) from error
        if len(key) != _KEY_BYTES or not any(key):
            raise SealerError("Gramine gives no SGX seal key", found=f"{path}: {len(key)} bytes, or all zero")
        return key

    def current(self, mode: str, recipe: bytes) -> bool:
        """Tell whether there is such a key: always, there is only one for each mode."""
        del mode, recipe
        return True

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"Gramine's SGX seal keys in {self._directory}"
