"""Calls of the Coordinator from an event loop: in a few threads, as they compute and wait for the disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sealmesh.errors.transport import Overloaded

T = TypeVar("T")

#: More threads than cores: much of the time is the disk's, and the store commits in groups those who wait.
DEFAULT_THREADS = 8
#: Calls begun or waiting for a thread. At 5 ms each, the last one waits 5 s; beyond that a refusal is kinder.
DEFAULT_WAITING = 1024


class Calls:
    """A few threads, and a bound on who waits for them."""

    def __init__(self, *, threads: int = DEFAULT_THREADS, waiting: int = DEFAULT_WAITING) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="coordinator")
        self._waiting = waiting
        self._count = 0

    async def run(self, call: Callable[[], T]) -> T:
        """Return what `call` returns; it goes on to its end even if nobody waits for it any more.

        Raises:
            Overloaded: Too many calls are waiting. Nothing was begun.
        """
        if self._count >= self._waiting:
            raise Overloaded(
                "too many requests at once", found=self._count, wanted=f"at most {self._waiting}"
            )
        self._count += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, call)
        future.add_done_callback(self._done)
        return await future

    def close(self) -> None:
        """Let the calls that were begun end, begin no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _done(self, _future: object) -> None:
        self._count -= 1
