"""The head: one small sealed record that vouches for all others.

It holds a keyed sum over all records (a multiset hash, MSet-Add-Hash of Clarke et al., 2003): each record
adds HMAC-SHA256(key, nonce of its envelope, version, liveness, name) as a number modulo 2**256. Replacing a
record costs one subtraction and one addition, however many there are, and still a row that was deleted,
added, moved or put back from an older time makes the sum wrong. Envelopes cannot be forged and have random
nonces, so the nonce stands for the content; nobody outside sees the sum or its parts.

The ledger's leaves are vouched for by their frontier. `epoch` is what an anchor outside the files counts, so
that a whole directory put back is noticed (`mooring`).
"""

import hmac
from dataclasses import dataclass
from typing import Final

from sealmesh.errors.store import SealedDataError
from sealmesh.ledger import Frontier
from sealmesh.sealing import NONCE_BYTES

_FORMAT: Final = 1
_FIXED_BYTES: Final = 1 + 8 + 8 + 32 + 32 + 8
_HASH_BYTES: Final = 32
_MODULUS: Final = 2**256


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is sealed beside the records, anew with each commit.

    Attributes:
        version: Of the last commit.
        epoch: Counts the writes with an anchor; 0 where the state is bound to none.
        total: The sum over the records.
        plain_digest: SHA-256 of what lies beside in plain (recovery data, mode), so that a change there is
            noticed.
    """

    version: int
    epoch: int
    total: int
    plain_digest: bytes
    frontier: Frontier

    def to_bytes(self) -> bytes:
        """Return the one encoding of this."""
        return b"".join(
            (
                bytes((_FORMAT,)),
                self.version.to_bytes(8, "big"),
                self.epoch.to_bytes(8, "big"),
                self.total.to_bytes(32, "big"),
                self.plain_digest,
                self.frontier.size.to_bytes(8, "big"),
                *self.frontier.roots,
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "Head":
        """Read what `to_bytes` wrote.

        Raises:
            SealedDataError: Anything else.
        """
        if len(data) < _FIXED_BYTES or data[0] != _FORMAT or (len(data) - _FIXED_BYTES) % _HASH_BYTES:
            raise SealedDataError("The head of the store is of another version")
        roots = tuple(data[at : at + _HASH_BYTES] for at in range(_FIXED_BYTES, len(data), _HASH_BYTES))
        try:
            frontier = Frontier(int.from_bytes(data[81:89], "big"), roots)
        except ValueError as error:
            raise SealedDataError("The head of the store contradicts itself", found=str(error)) from error
        return cls(
            version=int.from_bytes(data[1:9], "big"),
            epoch=int.from_bytes(data[9:17], "big"),
            total=int.from_bytes(data[17:49], "big"),
            plain_digest=data[49:81],
            frontier=frontier,
        )


def sum_modulo(total: int) -> int:
    """Return a sum of weights as the head states it."""
    return total % _MODULUS


def weight(key: bytes, *, name: str, version: int, live: bool, sealed: bytes) -> int:
    """Return what the record `name` adds to the sum.

    Raises:
        SealedDataError: The row is too short to be an envelope.
    """
    nonce = sealed[1 : 1 + NONCE_BYTES]
    if len(nonce) != NONCE_BYTES:
        raise SealedDataError("A record is cut off", found=repr(name))
    message = nonce + version.to_bytes(8, "big") + (b"\1" if live else b"\0") + name.encode()
    return int.from_bytes(hmac.digest(key, message, "sha256"), "big")
