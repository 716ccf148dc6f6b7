"""Typed access to a decoded map of claims."""

from collections.abc import Mapping
from typing import NoReturn

from sealmesh.attestation.cbor import Value
from sealmesh.errors.attestation import EvidenceFormatError


class ClaimMap:
    """One map of a token or document, read claim by claim.

    Args:
        value: What was decoded; must be a map.
        subject: What it is called in errors.

    Raises:
        EvidenceFormatError: `format:<subject>`, here and in every method.
    """

    __slots__ = ("_claims", "_subject")

    def __init__(self, value: Value, subject: str) -> None:
        self._subject = subject
        if not isinstance(value, dict):
            self.refuse("the whole", "a map")
        self._claims: Mapping[int | str, Value] = value

    def __contains__(self, key: int | str) -> bool:
        return key in self._claims

    def get(self, key: int | str) -> Value:
        """Return a claim of any type, or None."""
        return self._claims.get(key)

    def octets(self, key: int | str, *, lengths: tuple[int, ...] | range) -> bytes:
        """Return a byte string of one of these lengths."""
        value = self._claims.get(key)
        if not isinstance(value, bytes) or len(value) not in lengths:
            self.refuse(key, f"a byte string of {_lengths(lengths)} bytes")
        return value

    def optional_octets(self, key: int | str, *, lengths: tuple[int, ...] | range) -> bytes | None:
        """Return a byte string of one of these lengths, or None where there is none or null."""
        return None if self._claims.get(key) is None else self.octets(key, lengths=lengths)

    def text(self, key: int | str, *, most: int = 256) -> str:
        """Return a text of 1 to `most` characters."""
        value = self._claims.get(key)
        if not isinstance(value, str) or not 0 < len(value) <= most:
            self.refuse(key, f"a text of at most {most} characters")
        return value

    def number(self, key: int | str, *, most: int) -> int:
        """Return an integer from 0 to `most`."""
        value = self._claims.get(key)
        if type(value) is not int or not 0 <= value <= most:
            self.refuse(key, f"an integer from 0 to {most}")
        return value

    def items(self, key: int | str, *, most: int) -> tuple[Value, ...]:
        """Return an array of 1 to `most` items."""
        value = self._claims.get(key)
        if not isinstance(value, tuple) or not 0 < len(value) <= most:
            self.refuse(key, f"an array of 1 to {most} items")
        return value

    def only(self, keys: frozenset[int | str]) -> None:
        """Refuse claims other than these."""
        for key in self._claims:
            if key not in keys:
                self.refuse(str(key)[:64], "no such claim")

    def refuse(self, key: int | str, wanted: str) -> NoReturn:
        """Refuse a claim."""
        raise EvidenceFormatError(
            f"{self._subject}: {key} is not as it must be", code=f"format:{self._subject}", wanted=wanted
        )


def _lengths(lengths: tuple[int, ...] | range) -> str:
    if isinstance(lengths, range):
        return f"{lengths.start} to {lengths.stop - 1}"
    return " or ".join(map(str, lengths))
