"""Recovery: the key-encryption key in the hands of owners (formats: COMPAT, section 11).

One owner has the key itself. Of n owners who are all needed each has 32 bytes, whose XOR is the key. Where
t < n are enough each has a Shamir share of 33 bytes, 32 bytes y and one byte x.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

from sealmesh.errors.sealing import RecoverySchemeError, SealingError, ShareError
from sealmesh.sealing import shamir
from sealmesh.sealing.record import KEY_BYTES

#: One byte of x in a share, and far more than people who can be asked.
MAX_OWNERS: Final = shamir.MAX_SHARES
_DIGEST_LABEL: Final = b"sealmesh recovery share 1\0"
_DIGEST_BYTES: Final = 32
_MAGIC: Final = b"sealmesh recovery 1\n"
_GUARD: Final = b"guard 1\n"


def share_digest(share: bytes) -> bytes:
    """Return what a share is recognised by. A share has 256 bits of entropy, so it stays secret."""
    return hashlib.sha256(_DIGEST_LABEL + share).digest()


def _check_scheme(owners: int, threshold: int) -> None:
    lowest = min(owners, 2)
    if owners > MAX_OWNERS or not lowest <= threshold <= owners:
        raise RecoverySchemeError(
            "The recovery keys cannot be shared so",
            found=f"{threshold} of {owners}",
            wanted=f"at most {MAX_OWNERS} owners and a threshold of 2 to their number",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryInfo:
    """What a Coordinator that cannot read its state knows about its recovery; public.

    Attributes:
        threshold: How many of the owners are needed, 1 to their number; 0 only when there are none.
        digests: One for each owner's share.
        guard: What else is asked for before the state is recovered or given up; empty where nothing is.
    """

    threshold: int
    digests: tuple[bytes, ...]
    guard: bytes = b""

    def __post_init__(self) -> None:
        _check_scheme(len(self.digests), self.threshold)

    @property
    def owners(self) -> int:
        """How many owners there are; 0 when nobody can recover."""
        return len(self.digests)

    @property
    def share_bytes(self) -> int:
        """The length of each share."""
        return KEY_BYTES if self.threshold == self.owners else KEY_BYTES + 1

    def to_bytes(self) -> bytes:
        """Return the one encoding of this."""
        head = _MAGIC + bytes((self.owners, self.threshold)) + b"".join(self.digests)
        return head + _GUARD + self.guard if self.guard else head

    @classmethod
    def from_bytes(cls, data: bytes) -> "RecoveryInfo":
        """Read what `to_bytes` wrote.

        Raises:
            SealingError: Anything else.
        """
        body = data.removeprefix(_MAGIC)
        if not data.startswith(_MAGIC) or len(body) < 2:
            raise SealingError("The recovery data is damaged", found=f"{len(data)} bytes")
        end = 2 + body[0] * _DIGEST_BYTES
        rest = body[end:]
        if len(body) < end or (rest and not (rest.startswith(_GUARD) and rest != _GUARD)):
            raise SealingError("The recovery data is damaged", found=f"{len(data)} bytes")
        digests = tuple(body[at : at + _DIGEST_BYTES] for at in range(2, end, _DIGEST_BYTES))
        try:
            return cls(threshold=body[1], digests=digests, guard=rest.removeprefix(_GUARD))
        except RecoverySchemeError as error:
            raise SealingError("The recovery data is damaged", found=error.message) from error


NO_RECOVERY: Final = RecoveryInfo(threshold=0, digests=())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryShares:
    """A key, shared: what to give to whom, and what to remember.

    Attributes:
        shares: Secret; in the order of the owners.
    """

    shares: tuple[bytes, ...]
    info: RecoveryInfo

    def __repr__(self) -> str:
        return f"RecoveryShares(owners={self.info.owners}, threshold={self.info.threshold})"


def split_recovery_key(
    key: bytes, *, owners: int, threshold: int, entropy: Callable[[int], bytes]
) -> RecoveryShares:
    """Share `key` (32 bytes) among `owners`, any `threshold` of whom can recover it.

    Args:
        key: The key-encryption key.
        owners: 0 to 255; with 0 nobody can recover.
        threshold: 0 stands for all.
        entropy: Random bytes for the shares.

    Raises:
        RecoverySchemeError: Too many owners, or a threshold above their number, or 1 of several.
    """
    needed = threshold or owners
    _check_scheme(owners, needed)
    if owners == 0:
        shares: tuple[bytes, ...] = ()
    elif owners == 1:
        shares = (key,)
    elif needed == owners:
        others = [entropy(KEY_BYTES) for _ in range(owners - 1)]
        shares = (*others, reduce(_xor, others, key))
    else:
        points = shamir.split(key, shares=owners, threshold=needed, entropy=entropy)
        shares = tuple(y + bytes((x,)) for x, y in points.items())
    digests = tuple(map(share_digest, shares))
    return RecoveryShares(shares=shares, info=RecoveryInfo(threshold=needed, digests=digests))


def combine_shares(shares: Sequence[bytes], info: RecoveryInfo) -> bytes:
    """Return the key from at least as many good shares as are needed.

    Raises:
        ShareError: Too few, one repeated, or one that is not known.
    """
    progress = RecoveryProgress(info=info)
    for share in shares:
        progress = progress.with_share(share)
    return progress.key()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryProgress:
    """The shares given so far. A refused share changes nothing."""

    info: RecoveryInfo
    shares: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return f"RecoveryProgress({len(self.shares)} of {self.info.owners}, {self.remaining} remaining)"

    @property
    def complete(self) -> bool:
        """Whether the key can be put together."""
        return bool(self.shares) and len(self.shares) >= self.info.threshold

    @property
    def remaining(self) -> int:
        """What `remaining` of the API says: owners who gave nothing yet, and 0 as soon as enough did."""
        return 0 if self.complete else self.info.owners - len(self.shares)

    def with_share(self, share: bytes) -> "RecoveryProgress":
        """Return the progress with one more share.

        Raises:
            ShareError: A wrong length, an unknown or a repeated share.
        """
        if len(share) != self.info.share_bytes:
            raise ShareError(
                "The recovery share has a wrong length",
                found=f"{len(share)} bytes",
                wanted=f"{self.info.share_bytes} bytes",
            )
        if share_digest(share) not in self.info.digests:
            raise ShareError("The recovery share is not one of this state's", code="recovery-share-unknown")
        if share in self.shares:
            raise ShareError("The recovery share was given already", code="recovery-share-repeated")
        return replace(self, shares=(*self.shares, share))

    def key(self) -> bytes:
        """Return the key-encryption key.

        Raises:
            ShareError: Shares are missing.
        """
        if not self.complete:
            raise ShareError(
                "Recovery shares are missing",
                found=len(self.shares),
                wanted=f"at least {self.info.threshold}",
            )
        if self.info.threshold == self.info.owners:
            return reduce(_xor, self.shares)
        points = {share[-1]: share[:-1] for share in self.shares[: self.info.threshold]}
        return shamir.combine(points)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
