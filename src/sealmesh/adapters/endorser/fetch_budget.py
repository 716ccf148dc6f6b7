"""How much strangers' Evidence may make us fetch: a bucket of tokens for each family.

Whoever reaches the mesh port can send Evidence of made-up platforms. Each that nobody has seen makes a fetch
that is for this platform only, and costs a token; what was fetched before is renewed without one. A bucket
holds `limit` tokens, and fills up again in `WINDOW`. When it is empty, Evidence of platforms that are not
known yet is refused; those that are known go on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sealmesh.attestation import Family
from sealmesh.errors.attestation import EndorserExhausted

WINDOW: Final = timedelta(hours=1)
DEFAULT_LIMIT: Final = 120
"""A rack of new machines at once; a stranger keeps a server busy for a minute an hour at most."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: datetime


class FetchBudget:
    """The buckets of all families, for one process. Not locked: its owner calls it under a lock.

    Args:
        limit: Fetches for unknown platforms of a family at once, and in an hour.
        clock: Aware UTC.
    """

    def __init__(self, limit: int, clock: Callable[[], datetime]) -> None:
        if limit < 1:
            raise ValueError("a limit is at least 1")
        self._limit = limit
        self._clock = clock
        self._buckets: dict[Family, _Bucket] = {}

    def spend(self, family: Family) -> None:
        """Take a token.

        Raises:
            EndorserExhausted: There is none; it names the family and when there will be one.
        """
        bucket = self._filled(family)
        if bucket.tokens < 1:
            wait = (1 - bucket.tokens) * WINDOW / self._limit
            raise EndorserExhausted(family.value, limit=self._limit, wait=wait)
        bucket.tokens -= 1

    def _filled(self, family: Family) -> _Bucket:
        """Return a family's bucket as it is now; a clock that went back fills nothing."""
        now = self._clock()
        bucket = self._buckets.setdefault(family, _Bucket(tokens=self._limit, filled=now))
        gained = max(now - bucket.filled, timedelta()) / WINDOW * self._limit
        bucket.tokens = min(self._limit, bucket.tokens + gained)
        bucket.filled = now
        return bucket
