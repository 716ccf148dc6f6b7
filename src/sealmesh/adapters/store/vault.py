"""Seal and unseal the parts of one state under its data-encryption key."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sealmesh.adapters.store.database import SealRow
from sealmesh.adapters.store.head import Head, weight
from sealmesh.errors.sealing import SealingError
from sealmesh.errors.store import SealedDataError
from sealmesh.sealing import (
    KEY_BYTES,
    NONCE_BYTES,
    derive_key,
    key_id,
    seal_record,
    unseal_record,
    unwrap_key,
    wrap_key,
)

_HEAD: Final = "head"


def plain_digest(row: SealRow) -> bytes:
    """Return the digest under which the head vouches for the plain row (but its wrapped key)."""
    parts = (row.generation.to_bytes(8, "big"), row.key_id, row.mode.encode(), row.recovery)
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """The keys of one generation of a state."""

    generation: int
    data_key: bytes = field(repr=False)
    sum_key: bytes = field(repr=False)
    entropy: Callable[[int], bytes] = field(repr=False)

    @classmethod
    def new(
        cls,
        encryption_key: bytes,
        *,
        generation: int,
        mode: str,
        recovery: bytes,
        entropy: Callable[[int], bytes],
    ) -> "tuple[Vault, SealRow]":
        """Return a vault with a fresh data key, and the row that lets `encryption_key` open it again."""
        data_key = entropy(KEY_BYTES)
        row = SealRow(
            generation=generation,
            key_id=key_id(encryption_key),
            wrapped=wrap_key(encryption_key, data_key, generation=generation, nonce=entropy(NONCE_BYTES)),
            mode=mode,
            recovery=recovery,
        )
        return cls._over(data_key, generation, entropy), row

    @classmethod
    def opened(cls, encryption_key: bytes, row: SealRow, *, entropy: Callable[[int], bytes]) -> "Vault":
        """Return the vault that `row` describes.

        Raises:
            SealingError: The key is another one, or the row is damaged.
        """
        data_key = unwrap_key(encryption_key, row.wrapped, generation=row.generation)
        return cls._over(data_key, row.generation, entropy)

    @classmethod
    def _over(cls, data_key: bytes, generation: int, entropy: Callable[[int], bytes]) -> "Vault":
        sum_key = derive_key(data_key, "sum over the records")
        return cls(generation=generation, data_key=data_key, sum_key=sum_key, entropy=entropy)

    def seal_head(self, head: Head) -> bytes:
        """Return the sealed head."""
        return self._seal(_HEAD, head.version, head.to_bytes())

    def open_head(self, version: int, sealed: bytes) -> Head:
        """Return the head of `version`.

        Raises:
            SealedDataError: It is not that.
        """
        head = Head.from_bytes(self._open(_HEAD, version, sealed))
        if head.version != version:
            raise SealedDataError("The head of the store contradicts itself")
        return head

    def seal_value(self, name: str, version: int, value: bytes | None) -> bytes:
        """Return the envelope of a record; None makes that of a deleted one."""
        return self._seal(_place(name, live=value is not None), version, value or b"")

    def open_value(self, name: str, version: int, sealed: bytes, *, live: bool) -> bytes | None:
        """Return a record's value, None for a deleted one.

        Raises:
            SealedDataError: It was not sealed for this name and version, or was changed.
        """
        value = self._open(_place(name, live=live), version, sealed)
        return value if live else None

    def weight(self, name: str, version: int, sealed: bytes, *, live: bool) -> int:
        """Return what the record adds to the head's sum."""
        return weight(self.sum_key, name=name, version=version, live=live, sealed=sealed)

    def seal_leaf(self, number: int, version: int, leaf: bytes) -> bytes:
        """Return the envelope of the ledger's leaf `number`."""
        return self._seal(f"leaf {number}", version, leaf)

    def open_leaf(self, number: int, version: int, sealed: bytes) -> bytes:
        """Return the ledger's leaf `number`.

        Raises:
            SealedDataError: It was not sealed as that, or was changed.
        """
        return self._open(f"leaf {number}", version, sealed)

    def _seal(self, place: str, version: int, plaintext: bytes) -> bytes:
        nonce = self.entropy(NONCE_BYTES)
        return seal_record(self.data_key, place=place, version=version, plaintext=plaintext, nonce=nonce)

    def _open(self, place: str, version: int, sealed: bytes) -> bytes:
        try:
            return unseal_record(self.data_key, place=place, version=version, sealed=sealed)
        except (SealingError, OverflowError, UnicodeEncodeError) as error:
            raise SealedDataError(
                "A part of the sealed data was changed, moved or put back", found=repr(place)
            ) from error


def _place(name: str, *, live: bool) -> str:
    return ("record " if live else "deleted ") + name
