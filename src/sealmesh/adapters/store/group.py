"""Group commit: who waits for the disk is joined by all who come meanwhile.

Who finds the queue empty leads the next batch: he waits for the batch before, then writes for all who have
joined by then. They wait for him alone, not for a turn of their own.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sealmesh.coordinator.ports import Change
from sealmesh.errors import SealmeshError


def _closed() -> threading.Lock:
    gate = threading.Lock()
    gate.acquire()
    return gate


@dataclass(slots=True, eq=False)
class Waiting:
    """One caller's change, and what became of it. `gate` opens when that is known."""

    change: Change
    version: int = 0
    error: SealmeshError | None = None
    gate: threading.Lock = field(default_factory=_closed)


class GroupCommit:
    """Hands the changes of concurrent callers to `write` in batches, in the order in which they came.

    Args:
        write: Writes a batch durably; sets version or error of each. What it raises itself is every
            caller's failure, and then nothing was written.
    """

    def __init__(self, write: Callable[[Sequence[Waiting]], None]) -> None:
        self._write = write
        self._queue: list[Waiting] = []
        self._queue_lock = threading.Lock()
        self._turn = threading.Lock()

    def commit(self, change: Change) -> int:
        """Return the version of `change` once it is durable.

        Raises:
            SealmeshError: Whatever became of this change or of the batch it was in.
        """
        waiting = Waiting(change)
        with self._queue_lock:
            self._queue.append(waiting)
            leads = len(self._queue) == 1
        if leads:
            with self._turn:
                self._write_all()
        else:
            waiting.gate.acquire()
        if waiting.error is not None:
            raise waiting.error.with_traceback(None)
        return waiting.version

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep commits of this process out meanwhile."""
        with self._turn:
            yield

    def _write_all(self) -> None:
        with self._queue_lock:
            batch, self._queue = self._queue, []
        try:
            self._write(batch)
        except SealmeshError as error:
            for waiting in batch:
                waiting.error = waiting.error or error
        except BaseException:
            # Our own fault: the leader raises it, the others must not hang nor take it for a success.
            for waiting in batch:
                waiting.error = SealmeshError("The commit failed inside the Coordinator", code="store-fault")
            raise
        finally:
            for waiting in batch:
                waiting.gate.release()
