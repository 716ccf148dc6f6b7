"""The seal key of the TEE that the Coordinator's own Evidence comes from."""

from typing import Final, Protocol

from sealmesh.adapters.sealer.keys import PRODUCT_KEY, UNIQUE_KEY, SealingKey
from sealmesh.errors.store import SealerError

_RECIPE_BYTES: Final = 2


class SealKey(Protocol):
    """Gives the same bytes for the same mode and security version, to the same software on one platform."""

    def __call__(self, mode: str, *, security_version: int) -> bytes: ...


class PlatformKeys:
    """Keys by signer and product (`ProductKey`) or by measurement (`UniqueKey`), for each security version.

    The recipe is the security version that sealed. The platform gives the keys of lower versions too, so an
    update opens what was sealed before it; then that is sealed anew, and the version before is locked out.

    Args:
        seal_key: The platform.
        security_version: Of this software.
        about: One phrase for people.
    """

    kind: Final = "platform"
    modes: Final = (PRODUCT_KEY, UNIQUE_KEY)

    def __init__(
        self, seal_key: SealKey, *, security_version: int = 0, about: str = "the platform's seal key"
    ) -> None:
        self._seal_key = seal_key
        self._own = security_version.to_bytes(_RECIPE_BYTES, "big")
        self._about = about

    def fresh(self, mode: str) -> SealingKey:
        """Return the key of this software's own security version."""
        return SealingKey(key=self.again(mode, self._own), recipe=self._own)

    def again(self, mode: str, recipe: bytes) -> bytes:
        """Return the key of the security version that sealed.

        Raises:
            SealerError: The mode or recipe is none of this platform's.
            SealmeshError: A higher security version sealed.
        """
        if mode not in self.modes or len(recipe) != _RECIPE_BYTES:
            raise SealerError("`sealed_key` names no key of this platform", found=mode)
        return self._seal_key(mode, security_version=int.from_bytes(recipe, "big"))

    def current(self, mode: str, recipe: bytes) -> bool:
        """Tell whether this software's own version sealed."""
        del mode
        return recipe == self._own

    def describe(self) -> str:
        """Return one phrase for people."""
        return self._about
