"""Renew the Marble's certificate before it expires, for as long as the program runs.

A failure is tried again, ever more slowly, until the certificate has expired and beyond: the Coordinator
may come back. Open connections stay; new ones use the new certificate.
"""

import random
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from sealmesh.adapters.log import logger
from sealmesh.errors import SealmeshError
from sealmesh.errors.marble import CoordinatorUnavailable
from sealmesh.marble.enrolment import Applicant, renew
from sealmesh.marble.membership import Credentials

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
#: A program that is stopped and continued, or a laptop that slept, must notice the clock.
_LONGEST_SLEEP_SECONDS: Final = 60.0


def pauses() -> Iterator[float]:
    """Yield how many seconds to wait before each next attempt: doubling, with a random part."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield pause * (0.5 + random.random() / 2)  # noqa: S311 - spreads attempts, protects nothing
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


class Renewal:
    """Keeps one Marble's credentials fresh on a thread of its own."""

    def __init__(
        self,
        applicant: Applicant,
        credentials: Credentials,
        adopt: Callable[[Credentials], None],
    ) -> None:
        self._applicant = applicant
        self._current = credentials
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
            for pause in pauses():
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
        try:
            self._current = renew(self._applicant, self._current)
        except SealmeshError as error:
            expired = self._applicant.clock() >= self._current.not_after
            log = (
                logger().error
                if expired or not isinstance(error, CoordinatorUnavailable)
                else logger().warning
            )
            log(
                "the certificate has expired and cannot be renewed"
                if expired
                else "the certificate could not be renewed yet",
                code=error.code,
                reason=str(error),
                not_after=self._current.not_after.isoformat(),
            )
            return False
        logger().info("certificate renewed", not_after=self._current.not_after.isoformat())
        self._adopt(self._current)
        return True
