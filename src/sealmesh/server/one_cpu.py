"""All threads of a process on one CPU at a time.

The threads of a Coordinator work on the same objects, and only one of them runs Python at a time. On several
CPUs each hand-over between them carries what one has just written from cache to cache, which costs a fifth of
an admission's CPU (`docs/performance.md`). One process fills about one CPU; for more there are workers.

Nor do they push each other out while they are there. A thread that lets go of the interpreter for a moment
(a statement of the database, a piece of TLS) would wake one that waits for it, which would run at once and
find the first one back before it has done anything: fourteen changes of thread for an admission. As batch
threads (sched(7)) those that wake up wait for their turn, and an interpreter that is wanted is handed over
later: six.

The CPU is not chosen for good: every few seconds the kernel may place the threads anew for a moment, and
where the event loop is then, all stay. So a CPU that somebody else begins to use is left again.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from sealmesh.adapters.log import logger

_STAY_SECONDS: Final = 5.0
#: The kernel balances busy threads within some tens of milliseconds.
_ROAM_SECONDS: Final = 0.1
#: How long a thread that computes keeps the interpreter from one that waits for it. Python's own 5 ms is in
#: the middle of an admission.
_HANDOVER_SECONDS: Final = 0.02
#: proc(5), /proc/pid/stat, field 39, counted from the state (field 3), which follows the program's name.
_PROCESSOR: Final = 39 - 3


def share_of(number: int, workers: int) -> frozenset[int]:
    """Return the CPUs for worker `number` of `workers`, out of those that this process may use.

    Where there are enough, no two workers share one.
    """
    allowed = sorted(os.sched_getaffinity(0))
    return frozenset(allowed[number::workers] if workers <= len(allowed) else allowed)


class OneCpu:
    """Keeps this process's threads together.

    Args:
        cpus: Where they may be.
    """

    def __init__(self, cpus: Collection[int]) -> None:
        self._cpus = frozenset(cpus)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, on the event loop's thread; where the system does not let us, say so and leave it."""
        self._loop = asyncio.get_running_loop()
        self._handover = sys.getswitchinterval()
        sys.setswitchinterval(_HANDOVER_SECONDS)
        self._reschedule(os.SCHED_OTHER, os.SCHED_BATCH)
        self._roam()

    def stop(self) -> None:
        """Let the kernel place and schedule the threads as before."""
        sys.setswitchinterval(self._handover)
        self._reschedule(os.SCHED_BATCH, os.SCHED_OTHER)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            _place(self._cpus)

    @staticmethod
    def _reschedule(old: int, new: int) -> None:
        """Give the policy `new` to every thread that has `old`: an operator's other choice stays."""

        def change(thread: int) -> None:
            if os.sched_getscheduler(thread) == old:
                os.sched_setscheduler(thread, new, os.sched_param(0))

        try:
            _each_thread(change)
        except OSError as error:
            logger().info("threads stay scheduled as they were", reason=str(error))

    def _roam(self) -> None:
        self._turn(self._roaming, _ROAM_SECONDS, self._stay)

    def _stay(self) -> None:
        self._turn(self._staying, _STAY_SECONDS, self._roam)

    def _turn(self, place: Callable[[], None], seconds: float, then: Callable[[], None]) -> None:
        try:
            place()
        except (OSError, ValueError, IndexError) as error:
            logger().info("threads stay where the system puts them", reason=str(error))
            self._timer = None
        else:
            self._timer = self._loop.call_later(seconds, then)

    def _roaming(self) -> None:
        _place(self._cpus)

    def _staying(self) -> None:
        here = _cpu_of_this_thread()
        _place({here} if here in self._cpus else self._cpus)


def _place(cpus: Collection[int]) -> None:
    """Bind every thread there is; those to come inherit it.

    Raises:
        OSError: The system does not allow it.
    """
    _each_thread(lambda thread: os.sched_setaffinity(thread, cpus))


def _each_thread(act: Callable[[int], None]) -> None:
    for thread in Path("/proc/self/task").iterdir():
        try:
            act(int(thread.name))
        except ProcessLookupError:
            continue  # it has ended


def _cpu_of_this_thread() -> int:
    stat = Path("/proc/thread-self/stat").read_text()
    return int(stat.rpartition(")")[2].split()[_PROCESSOR])
