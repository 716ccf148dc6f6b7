"""Keys for one command, drawn once however often it is decided."""

from collections.abc import Callable
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from sealmesh.coordinator.ports import KeyFactory

Key = TypeVar("Key", EllipticCurvePrivateKey, RSAPrivateKey, Ed25519PrivateKey)


class KeysOnce:
    """A `KeyFactory` that gives the same keys again after `rewind`.

    A decision that is taken again after a conflict asks for the same keys in the same order, and a large
    RSA key takes seconds. Where it asks for more (the state is another), the additional ones are fresh.
    """

    def __init__(self, factory: KeyFactory) -> None:
        self._factory = factory
        self._elliptic: dict[int, list[EllipticCurvePrivateKey]] = {}
        self._rsa: dict[int, list[RSAPrivateKey]] = {}
        self._edwards: list[Ed25519PrivateKey] = []
        self._given: dict[str, int] = {}

    def rewind(self) -> None:
        """Begin to give from the first key again."""
        self._given.clear()

    def ec(self, bits: int) -> EllipticCurvePrivateKey:
        """Return the next key on the NIST curve of that size."""
        return self._next(f"ec{bits}", self._elliptic.setdefault(bits, []), lambda: self._factory.ec(bits))

    def rsa(self, bits: int) -> RSAPrivateKey:
        """Return the next RSA key of that size."""
        return self._next(f"rsa{bits}", self._rsa.setdefault(bits, []), lambda: self._factory.rsa(bits))

    def ed25519(self) -> Ed25519PrivateKey:
        """Return the next Ed25519 key."""
        return self._next("ed25519", self._edwards, self._factory.ed25519)

    def _next(self, kind: str, drawn: list[Key], draw: Callable[[], Key]) -> Key:
        at = self._given.get(kind, 0)
        if at == len(drawn):
            drawn.append(draw())
        self._given[kind] = at + 1
        return drawn[at]
