"""A child process ends when its parent does, however the parent ends.

Two independent means, because each has a gap: the kernel's parent-death signal is lost if the parent dies
before it is asked for, and a pipe is only noticed by a child whose loop runs.
"""

import ctypes
import os
import signal
from collections.abc import Callable
from typing import Protocol

_PR_SET_PDEATHSIG = 1


class Loop(Protocol):
    """What is needed of an event loop."""

    def add_reader(self, fd: int, callback: Callable[[], object], /) -> object: ...


class Lifeline:
    """A pipe whose writing end only the parent holds. Made in the parent before it forks."""

    def __init__(self) -> None:
        self._parent = os.getpid()
        self._read_end, self._write_end = os.pipe()

    def take(self) -> None:
        """Bind the calling child to its parent; ends the process at once if the parent is gone already."""
        os.close(self._write_end)
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != self._parent:
            os._exit(1)

    def watch(self, loop: Loop) -> None:
        """End the calling child as soon as the pipe's writing end is closed."""
        loop.add_reader(self._read_end, _end)


def _end() -> None:
    os._exit(1)
