"""The port between `sealed_key` and whatever has a key for it: a TEE, a TPM, an HSM.

One contract suite runs against every adapter (`tests/contract/test_sealing_keys.py`).
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

#: MarbleRun's modes (COMPAT, section 8). The first is its default.
PRODUCT_KEY: Final = "ProductKey"
UNIQUE_KEY: Final = "UniqueKey"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey:
    """A key, and what is needed besides the platform to get it again.

    Attributes:
        key: 16 bytes or more; good for one envelope, or derived before use.
        recipe: Not secret, stored beside what the key sealed. At most 4096 bytes.
    """

    key: bytes = field(repr=False)
    recipe: bytes = b""


class SealingKeys(Protocol):
    """Gives keys to seal with, and gives them again to whom the mode allows. Safe for several threads."""

    @property
    def kind(self) -> str:
        """One lower-case word, stored with what was sealed."""
        ...

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that can be kept here; the first is taken where the manifest names none."""
        ...

    def fresh(self, mode: str) -> SealingKey:
        """Return a key to seal with in `mode`, one of `modes`.

        Raises:
            SealmeshError: There is none now.
        """
        ...

    def again(self, mode: str, recipe: bytes) -> bytes:
        """Return the key that `fresh` gave with `recipe`.

        Raises:
            SealmeshError: It is refused to this software, this platform or at this time.
        """
        ...

    def current(self, mode: str, recipe: bytes) -> bool:
        """Tell whether `fresh` would still give such a key. If not, what it seals is to be sealed anew."""
        ...

    def describe(self) -> str:
        """Return one phrase for people."""
        ...
