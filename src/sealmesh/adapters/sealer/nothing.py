"""A TEE that gives its programs no key to seal with: TDX, Nitro, CCA."""

from typing import Final, NoReturn

from sealmesh.adapters.sealer.keys import SealingKey
from sealmesh.errors.store import SealerError


class NoKeys:
    """Keeps no mode, so that only `SealMode` `Disabled` is left.

    Args:
        tee: Which TEE, in one phrase.
    """

    kind: Final = "none"
    modes: Final[tuple[str, ...]] = ()

    def __init__(self, tee: str) -> None:
        self._tee = tee

    def fresh(self, mode: str) -> SealingKey:
        """Refuse."""
        self._refuse(mode)

    def again(self, mode: str, recipe: bytes) -> bytes:
        """Refuse."""
        del recipe
        self._refuse(mode)

    def current(self, mode: str, recipe: bytes) -> bool:
        """Tell that nothing is sealed here."""
        del mode, recipe
        return False

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"nothing: the TEE has no key to seal with ({self._tee})"

    def _refuse(self, mode: str) -> NoReturn:
        raise SealerError(
            "This TEE has no key to seal with",
            found=mode,
            remedy="Start the Coordinator with --sealer tpm:... or pkcs11:..., or set a manifest with "
            '"SealMode": "Disabled".',
        )
