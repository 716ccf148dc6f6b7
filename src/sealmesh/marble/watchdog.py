"""Sees to it that a Python program runs with its data plane or not at all.

The data plane reports before the program's first line. An interpreter that loads it cannot get there without;
this is for what only looks like one.
"""

import threading
import time
from typing import Final

from sealmesh.errors.marble import WrapMissing

#: Within this time the wrap inside a Python program must have shown itself.
WRAP_SECONDS: Final = 30.0
#: Its report may still be on the way when a short program has ended.
READY_SECONDS: Final = 5.0
#: What an interpreter ends with whose data plane did not start (`dataplane/inject/sitecustomize.py`).
EXIT_NOT_STARTED: Final = 97
_REMEDY: Final = "The program must be CPython 3.11 or newer that reads PYTHONPATH (no -I, -E, -S)"


class Watchdog:
    """Waits for the report.

    Args:
        ready: Set when it came.
    """

    def __init__(self, ready: threading.Event) -> None:
        self._ready = ready
        self._deadline = time.monotonic() + WRAP_SECONDS

    def check(self) -> None:
        """Accept a running program, for as long as its report may still come.

        Raises:
            WrapMissing: It has run too long without.
        """
        if not self._ready.is_set() and time.monotonic() > self._deadline:
            raise WrapMissing(
                "The program runs, but the data plane inside it did not show itself; it was ended",
                found=f"nothing in {WRAP_SECONDS:g} s",
                remedy=_REMEDY,
            )

    def check_ended(self, code: int) -> None:
        """Accept a program that ended with `code`.

        Raises:
            WrapMissing: It ran without a data plane, or did not run because of it.
        """
        if self._ready.wait(READY_SECONDS):
            return
        if code == EXIT_NOT_STARTED:
            raise WrapMissing(
                "The program was not started, because the data plane inside it could not",
                found=f"exit code {code}",
                remedy="The line above, from inside the program's interpreter, says why",
            )
        raise WrapMissing(
            "The program ran to its end, but the data plane inside it never showed itself",
            found=f"exit code {code}",
            remedy=_REMEDY,
        )
