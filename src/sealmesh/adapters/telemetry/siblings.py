"""The workers of one Coordinator tell each other what they counted.

Each has a UNIX socket in a directory that only their user can enter; whoever is asked for metrics asks the
others and adds up. So the numbers are as fresh as the scrape and nothing is written anywhere. What a worker
counted dies with it.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

#: A worker that cannot say what it counted within this time is left out.
ANSWER_SECONDS: Final = 1.0
_MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
_MAX_QUESTION_BYTES: Final = 16
#: By topic, what this worker answers.
Answers = Mapping[bytes, Callable[[], bytes]]


class Siblings:
    """One worker's socket, and the way to the others'."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._own = directory / f"{os.getpid()}.sock"
        self._answers: Answers = {}
        self._server: asyncio.Server | None = None

    async def start(self, answers: Answers) -> None:
        """Answer the other workers."""
        self._answers = answers
        _remove(self._own)  # of a dead worker whose number came round again
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.setblocking(False)
        one.bind(str(self._own))
        self._server = await asyncio.start_unix_server(self._answer, sock=one)

    async def stop(self) -> None:
        """Answer no more."""
        _remove(self._own)
        if self._server is not None:
            self._server.close()

    async def ask(self, topic: bytes) -> list[bytes]:
        """Return what the other workers say; who does not answer in time is left out."""
        others = [path for path in self._directory.glob("*.sock") if path != self._own]
        found = await asyncio.gather(*(self._ask_one(path, topic) for path in others))
        return [answer for answer in found if answer is not None]

    async def _ask_one(self, path: Path, topic: bytes) -> bytes | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await _exchange(path, topic)
        except ConnectionRefusedError:
            _remove(path)  # its worker is dead
        except (OSError, TimeoutError, asyncio.LimitOverrunError, asyncio.IncompleteReadError):
            pass
        return None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = self._answers.get(await reader.read(_MAX_QUESTION_BYTES))
                if answer is not None:
                    data = answer()
                    writer.write(len(data).to_bytes(4, "big") + data)
                    await writer.drain()
        except (OSError, TimeoutError):
            pass
        finally:
            writer.close()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _exchange(path: Path, topic: bytes) -> bytes | None:
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.write(topic)
        size = int.from_bytes(await reader.readexactly(4), "big")
        return await reader.readexactly(size) if size <= _MAX_ANSWER_BYTES else None
    finally:
        writer.close()
