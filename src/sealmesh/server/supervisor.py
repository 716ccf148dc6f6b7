"""N equal worker processes: started, watched, replaced, ended together.

The parent does no work of its own and has no threads, so that it can fork at any time. What it prepared
before (the configuration, the fresh authority) reaches the children as their memory and never touches a disk.
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from sealmesh.adapters.log import logger
from sealmesh.server.exit_code import ExitCode
from sealmesh.server.lifeline import Lifeline

#: A worker that lived shorter than this makes the next start wait longer.
_STABLE_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
#: How often to ask whether one worker is still enough.
_ALONE_SECONDS = 0.5
#: After this time of SIGTERM workers are killed. Longer than the transports' own grace.
_GRACE_SECONDS = 15.0

Serve = Callable[[Lifeline, int], int]


@dataclass(slots=True)
class _Worker:
    number: int
    pid: int = 0
    started: float = 0.0
    pause: float = _FIRST_PAUSE_SECONDS
    due: float = 0.0


class Supervisor:
    """Keeps `count` processes running `serve` until it is told to stop.

    Args:
        count: How many.
        serve: Run in each child, with the worker's number from 0; what it returns is the child's exit code.
        alone: Asked now and then: is there only work for one? Recovery shares are in the memory of one
            process, so that while a state waits for them only one serves.
    """

    def __init__(self, count: int, serve: Serve, *, alone: Callable[[], bool]) -> None:
        self._serve = serve
        self._alone = alone
        self._lifeline = Lifeline()
        self._workers = [_Worker(number=number) for number in range(count)]
        self._is_alone = True

    def run(self) -> int:
        """Return the exit code when all workers have ended.

        That is 0 after SIGTERM or SIGINT, or the code of a worker that said that starting again cannot help.
        """
        signals = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        try:
            return self._watch(signals)
        finally:
            self._end_all()

    def _watch(self, signals: tuple[signal.Signals, ...]) -> int:
        while True:
            self._start_due()
            received = signal.sigtimedwait(signals, self._next_due())
            if received is not None and received.si_signo != signal.SIGCHLD:
                return ExitCode.OK
            code = self._reap()
            if code is not None:
                return code

    def _start_due(self) -> None:
        now = time.monotonic()
        self._is_alone = self._is_alone and self._alone()
        for worker in self._workers[:1] if self._is_alone else self._workers:
            if worker.pid == 0 and worker.due <= now:
                worker.started, worker.pid = now, self._fork(worker.number)
                logger().info("worker started", worker=worker.number, pid=worker.pid)

    def _next_due(self) -> float:
        if self._is_alone:
            return _ALONE_SECONDS
        waiting = [worker.due for worker in self._workers if worker.pid == 0]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else 3600.0

    def _fork(self, number: int) -> int:
        pid = os.fork()
        if pid:
            return pid
        code: int = ExitCode.INTERNAL
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD))
            self._lifeline.take()
            code = self._serve(self._lifeline, number)
        finally:
            os._exit(code)

    def _reap(self) -> int | None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return None
            if pid == 0:
                return None
            code = os.waitstatus_to_exitcode(status)
            worker = next((item for item in self._workers if item.pid == pid), None)
            if worker is None:
                continue
            worker.pid = 0
            logger().warning("worker ended", worker=worker.number, pid=pid, code=code)
            if code in ExitCode.final():
                return code
            self._schedule(worker)

    @staticmethod
    def _schedule(worker: _Worker) -> None:
        now = time.monotonic()
        if now - worker.started >= _STABLE_SECONDS:
            worker.pause = _FIRST_PAUSE_SECONDS
        worker.due = now + worker.pause
        worker.pause = min(worker.pause * 2, _LONGEST_PAUSE_SECONDS)

    def _end_all(self) -> None:
        running = {worker.pid for worker in self._workers if worker.pid}
        for pid in running:
            _send(pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while running:
            for pid in [pid for pid in running if _ended(pid)]:
                running.discard(pid)
            left = deadline - time.monotonic()
            if running and left <= 0:
                for pid in running:
                    _send(pid, signal.SIGKILL)
            if running:
                signal.sigtimedwait((signal.SIGCHLD,), max(0.05, min(left, 1.0)))


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True
