"""Published items, fetched when needed and kept as long as their own dates allow.

    valid and young     given at once
    valid and due       given at once, fetched anew in the background
    not valid, missing  fetched now; callers at the same time wait for one fetch
    fetch failed        not tried again for a while, which doubles up to `LONGEST_PAUSE`

So a server that is down stops nobody while what was fetched is valid, and nothing is used after that. The
first fetch of what is about one platform only costs a token (`fetch_budget`).
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from sealmesh.adapters.clock import system_clock
from sealmesh.adapters.endorser.cache_directory import CacheDirectory, KeptReply
from sealmesh.adapters.endorser.fetch_budget import DEFAULT_LIMIT, FetchBudget
from sealmesh.adapters.endorser.fetching import TOTAL_SECONDS, Fetching, Reply
from sealmesh.adapters.endorser.item import Item, Published
from sealmesh.adapters.log import logger
from sealmesh.errors.attestation import (
    AttestationError,
    EndorserError,
    EndorserExhausted,
    EndorserUnreachable,
)

OLDEST: Final = timedelta(hours=24)
"""What is older is due, however long it is valid: a revocation should be known the next day."""
SOONEST: Final = timedelta(hours=1)
"""What is younger is not due, also when little of its validity is left."""
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=5)
_SKEW: Final = timedelta(minutes=5)
_CAPACITY: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    published: Published
    fetched: datetime

    def valid(self, now: datetime) -> bool:
        return self.published.validity.contains(now)

    def due(self, now: datetime) -> bool:
        """Tell whether to fetch anew: after a day, or two thirds of its validity."""
        validity = self.published.validity
        late = validity.not_after - (validity.not_after - validity.not_before) / 3
        when = min(self.fetched + OLDEST, max(self.fetched + SOONEST, late))
        return not self.fetched - _SKEW <= now < when


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    error: AttestationError
    pause: timedelta
    until: datetime


class ItemCache:
    """Gives published items. Safe for several threads, and for several processes on one directory.

    Args:
        fetching: How to get an answer.
        directory: Where answers are kept over restarts; None: nowhere.
        limit: First fetches for single platforms in an hour, for each family; None where an operator asks.
        clock: Aware UTC.
    """

    def __init__(
        self,
        fetching: Fetching,
        directory: CacheDirectory | None = None,
        *,
        limit: int | None = DEFAULT_LIMIT,
        clock: Callable[[], datetime] = system_clock,
    ) -> None:
        self._budget = None if limit is None else FetchBudget(limit, clock)
        self._fetching = fetching
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._failures: dict[str, _Failure] = {}
        self._flights: dict[str, Future[Published]] = {}

    def get(self, item: Item) -> Published:
        """Return what is published, valid now.

        Raises:
            EndorserUnreachable: It has to be fetched and cannot be.
            EndorserExhausted: It has to be, and too many unknown platforms were asked for.
            EndorserError: The server does not know it.
        """
        now = self._clock()
        kept = self._valid(item, now)
        if kept is None:
            return self._wait(item, self._flight(item, now))
        if kept.due(now) and self._pausing(item, now) is None:
            self._flight(item, now)
        return kept.published

    def _valid(self, item: Item, now: datetime) -> _Kept | None:
        """Return what is kept and valid; look on disk where memory has nothing young."""
        kept = self._kept.get(item.key)
        if (kept is None or not kept.valid(now) or kept.due(now)) and self._directory is not None:
            found = self._directory.read(item.key)
            if found is not None and (kept is None or found.fetched > kept.fetched):
                kept = self._remember(item, found) or kept
        return kept if kept is not None and kept.valid(now) else None

    def _remember(self, item: Item, found: KeptReply) -> _Kept | None:
        try:
            kept = _Kept(published=item.read(found.reply), fetched=found.fetched)
        except AttestationError:
            return None
        with self._lock:
            if len(self._kept) >= _CAPACITY and item.key not in self._kept:
                self._kept = {}
            self._kept[item.key] = kept
        return kept

    def _flight(self, item: Item, now: datetime) -> Future[Published]:
        """Return the fetch that is under way for this item, else start one."""
        with self._lock:
            flight = self._flights.get(item.key)
            if flight is not None:
                return flight
            flight = Future()
            refusal = self._refusal(item, now)
            if refusal is not None:
                flight.set_exception(refusal)
                return flight
            self._flights[item.key] = flight
        threading.Thread(target=self._fly, args=(item, flight), daemon=True, name="endorsements").start()
        return flight

    def _refusal(self, item: Item, now: datetime) -> AttestationError | None:
        """Return why this item is not fetched now; what is fetched for a stranger costs a token."""
        failure = self._pausing(item, now)
        if failure is not None:
            return failure.error
        if self._budget is None or item.platform is None or item.key in self._kept:
            return None
        try:
            self._budget.spend(item.platform)
        except EndorserExhausted as error:
            return error
        return None

    def _wait(self, item: Item, flight: Future[Published]) -> Published:
        try:
            return flight.result(timeout=2 * TOTAL_SECONDS)
        except TimeoutError as error:
            raise EndorserUnreachable(item.url, found="no answer in time") from error
        except AttestationError as error:
            error.__traceback__ = None  # many callers may get this one; it must not grow
            raise

    def _fly(self, item: Item, flight: Future[Published]) -> None:
        place = _server(item)  # while it does not answer, it is left alone as a whole
        try:
            answer = self._ask(item)
            place = item.key
            published = self._accept(item, answer)
        except BaseException as error:
            place = place if isinstance(error, EndorserUnreachable) else item.key
            self._land(item, place, error if isinstance(error, AttestationError) else None)
            flight.set_exception(error)
        else:
            self._land(item, place, None)
            flight.set_result(published)

    def _ask(self, item: Item) -> Reply:
        try:
            answer = self._fetching.get(item.url)
        except EndorserUnreachable:
            raise
        except EndorserError as error:
            if item.platform is not None:
                raise
            raise EndorserUnreachable(item.url, found=error.found) from error
        kept = {name: answer.headers[name] for name in item.headers if name in answer.headers}
        return Reply(body=answer.body, headers=kept)

    def _accept(self, item: Item, reply: Reply) -> Published:
        now = self._clock()
        try:
            published = item.read(reply)
        except AttestationError as error:
            raise EndorserUnreachable(item.url, found=error.message) from error
        self._check_dates(item, published, now)
        found = KeptReply(reply=reply, fetched=now)
        if self._directory is not None:
            self._directory.write(item.key, found)
        self._remember(item, found)
        return published

    def _check_dates(self, item: Item, published: Published, now: datetime) -> None:
        """Refuse what is not valid now, or older than what is kept: it must not replace that."""
        validity, kept = published.validity, self._kept.get(item.key)
        span = f"{validity.not_before:%Y-%m-%dT%H:%M:%SZ} to {validity.not_after:%Y-%m-%dT%H:%M:%SZ}"
        if not validity.contains(now):
            raise EndorserUnreachable(
                item.url, found=f"valid from {span}", wanted=f"valid at {now:%Y-%m-%dT%H:%M:%SZ}"
            )
        if kept is not None and kept.valid(now) and published.issued < kept.published.issued:
            raise EndorserUnreachable(
                item.url,
                found=f"issued {published.issued:%Y-%m-%dT%H:%M:%SZ}",
                wanted=f"{kept.published.issued:%Y-%m-%dT%H:%M:%SZ} or later, as was fetched before",
            )

    def _land(self, item: Item, place: str, error: AttestationError | None) -> None:
        """Note how the fetch ended, and a failure under the name of what failed: item or server."""
        with self._lock:
            del self._flights[item.key]
            if error is None:
                self._failures.pop(item.key, None)
                self._failures.pop(_server(item), None)
                return
            before = self._failures.get(place)
            pause = FIRST_PAUSE if before is None else min(2 * before.pause, LONGEST_PAUSE)
            if len(self._failures) >= _CAPACITY:
                self._failures = {}
            self._failures[place] = _Failure(error=error, pause=pause, until=self._clock() + pause)
        if item.key in self._kept:  # else the caller is told
            logger().warning("endorsements not renewed", item=item.key, url=item.url, found=error.found)

    def _pausing(self, item: Item, now: datetime) -> _Failure | None:
        """Return the last failure where it is too early to try again."""
        for place in (item.key, _server(item)):
            failure = self._failures.get(place)
            if failure is not None and failure.until - failure.pause - _SKEW <= now < failure.until:
                return failure
        return None


def _server(item: Item) -> str:
    return urlsplit(item.url).netloc
