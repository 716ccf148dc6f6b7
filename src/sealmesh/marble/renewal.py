"""Renew the Marble's certificate before it expires, for as long as the program runs.

A failure is tried again, ever more slowly, until the certificate has expired and beyond: the Coordinator
may come back. Open connections stay; new ones use the new certificate, and with an expired one there are
none (`dataplane.contexts`).
"""

import random
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from sealmesh.adapters.log import logger
from sealmesh.errors import SealmeshError
from sealmesh.errors.marble import CoordinatorUnavailable
from sealmesh.ledger import RelyingPolicy
from sealmesh.marble.enrolment import Applicant, rejoin, renew
from sealmesh.marble.membership import Credentials

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
#: At least this many attempts before the certificate ends.
_ATTEMPTS: Final = 4
#: A program that is stopped and continued, or a laptop that slept, must notice the clock.
_LONGEST_SLEEP_SECONDS: Final = 60.0


def pauses(longest_seconds: float = LONGEST_PAUSE_SECONDS) -> Iterator[float]:
    """Yield how many seconds to wait before each next attempt: doubling, with a random part."""
    pause = min(FIRST_PAUSE_SECONDS, longest_seconds)
    while True:
        yield pause * (0.5 + random.random() / 2)  # noqa: S311 - spreads attempts, protects nothing
        pause = min(pause * 2, longest_seconds)


def longest_pause_seconds(credentials: Credentials) -> float:
    """Return a pause of which several fit between the time to renew and the end."""
    if credentials.renew_after is None:
        return LONGEST_PAUSE_SECONDS
    left = (credentials.not_after - credentials.renew_after).total_seconds()
    return min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, left / _ATTEMPTS))


class Renewal:
    """Keeps one Marble's credentials fresh on a thread of its own.

    Args:
        policy: To recognize the Coordinator when a certificate has expired and the Marble joins again.
        adopt: Called with every new set.
    """

    def __init__(
        self,
        applicant: Applicant,
        credentials: Credentials,
        policy: RelyingPolicy | None,
        adopt: Callable[[Credentials], None],
    ) -> None:
        self._applicant = applicant
        self._current = credentials
        self._policy = policy
        self._adopt = adopt
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin, where the credentials can be renewed at all."""
        if self._current.renew_after is not None:
            threading.Thread(target=self._run, name="renewal", daemon=True).start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()

    def _run(self) -> None:
        while self._wait_until(self._current.renew_after):
            for pause in pauses(longest_pause_seconds(self._current)):
                if self._renewed():
                    break
                if self._stopped.wait(pause):
                    return

    def _wait_until(self, moment: datetime | None) -> bool:
        while moment is not None:
            left = (moment - self._applicant.clock()).total_seconds()
            if self._stopped.wait(max(0.0, min(left, _LONGEST_SLEEP_SECONDS))):
                return False
            if left <= 0:
                return True
        return False

    def _renewed(self) -> bool:
        expired = self._applicant.clock() >= self._current.not_after
        try:
            self._current = self._next(expired=expired)
        except SealmeshError as error:
            self._tell(error, expired=expired)
            return False
        logger().info("certificate renewed", not_after=self._current.not_after.isoformat())
        try:
            self._adopt(self._current)
        except SealmeshError as error:
            logger().error("the program could not be given it", code=error.code, reason=str(error))
        return True

    def _next(self, *, expired: bool) -> Credentials:
        if expired and self._policy is not None:
            return rejoin(self._applicant, self._current, self._policy)
        return renew(self._applicant, self._current)

    def _tell(self, error: SealmeshError, *, expired: bool) -> None:
        away = isinstance(error, CoordinatorUnavailable)
        log = logger().warning if away and not expired else logger().error
        log(
            "the certificate has expired and could not be renewed: no new connections"
            if expired
            else "the certificate could not be renewed yet",
            code=error.code,
            reason=str(error),
            not_after=self._current.not_after.isoformat(),
        )
