"""Programs that a demo starts, watches and always ends."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sealmesh.errors.cli import DemoFailed

TERM_SECONDS = 3.0
POLL_SECONDS = 0.02
_INTERRUPTS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


class Program:
    """One running program with its output in a file; it is the leader of its own process group."""

    def __init__(self, name: str, command: Sequence[str], *, env: Mapping[str, str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self.folder = name, folder
        self.log = folder / f"{name}.log"
        self._start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process number."""
        return self._process.pid

    def output(self) -> str:
        """Return what it wrote since it was started."""
        with self.log.open("rb") as log:
            log.seek(self._start)
            return log.read().decode(errors="replace")

    def running(self) -> bool:
        """Tell whether it still runs."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> int:
        """Return its exit code.

        Raises:
            DemoFailed: It does not end.
        """
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise DemoFailed(f"{self.name} does not end", found=last_lines(self.output())) from error

    def wait_for(self, text: str, seconds: float = 20.0) -> None:
        """Wait until it has written `text`.

        Raises:
            DemoFailed: It ended before, or the time is over.
        """
        self.wait_until(lambda: text in self.output(), f"{text!r}", seconds)

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Wait until `condition` holds.

        Raises:
            DemoFailed: It ended before, or the time is over.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if not self.running() and not condition():
                raise DemoFailed(f"{self.name} ended before {what}", found=last_lines(self.output()))
            if time.monotonic() > deadline:
                raise DemoFailed(
                    f"{self.name}: no {what} in {seconds:.0f} s", found=last_lines(self.output())
                )
            time.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """Kill it and all it started, with signal 9, at once."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def end(self) -> None:
        """Ask it to end; kill what is left."""
        self.terminate()
        try:
            self._process.wait(TERM_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            pass


class Programs:
    """All programs of a demo; leaving the block ends every one of them."""

    def __init__(self, base: Mapping[str, str]) -> None:
        self._base = dict(base)
        self._all: list[Program] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)  # a second Ctrl-C must leave nobody
        try:
            for program in self._all:
                program.terminate()
            for program in reversed(self._all):
                program.end()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def start(
        self, name: str, command: Sequence[str], *, folder: Path, env: Mapping[str, str] | None = None
    ) -> Program:
        """Start a program in `folder` with the demo's environment and `env`."""
        program = Program(name, command, env={**self._base, **(env or {})}, folder=folder)
        self._all.append(program)
        return program


def last_lines(text: str, count: int = 12) -> str:
    """Return the last lines of a program's output."""
    return "\n".join(text.strip().splitlines()[-count:]) or "no output"


def free_port() -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """Tell whether somebody listens on 127.0.0.1:`port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
