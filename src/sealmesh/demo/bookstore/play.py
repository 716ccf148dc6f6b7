"""Performing the play: build the stage, run the acts, clean up whatever happens."""

import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from sealmesh.demo.bookstore.acts import customer, killing, operator, services, thief, without_mesh
from sealmesh.demo.bookstore.keeping import keep_running
from sealmesh.demo.bookstore.stage import Stage, plain_environment
from sealmesh.demo.narrator import Act, Narrator
from sealmesh.demo.programs import Programs
from sealmesh.errors import SealmeshError

ACTS: tuple[tuple[str, Callable[[Stage], None]], ...] = (
    (without_mesh.NAME, without_mesh.play),
    (operator.NAME, operator.play),
    (services.NAME, services.play),
    (thief.NAME, thief.play),
    (killing.NAME, killing.play),
    (customer.NAME, customer.play),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a performance; `error` says what broke, if anything did."""

    acts: tuple[Act, ...]
    seconds: float
    error: SealmeshError | None = None

    @property
    def passed(self) -> bool:
        """Whether every assertion of every act held."""
        return self.error is None and len(self.acts) == len(ACTS) and all(act.passed for act in self.acts)

    def document(self) -> dict[str, Any]:
        """Return the report for `--json`."""
        return {
            "demo": "bookstore",
            "passed": self.passed,
            "seconds": round(self.seconds, 2),
            "acts": [act.document() for act in self.acts],
            "error": None if self.error is None else self.error.as_dict(),
        }


def perform(console: Console, *, keep: bool = False, mixed: bool = False) -> Report:
    """Play all acts; with `keep` go on until interrupted, with the counter pages in the browser.

    With `mixed` the services run in different TEEs, all simulated.

    Everything happens in a temporary folder and on free ports of 127.0.0.1, and every program that was
    started is ended, also on Ctrl-C and SIGTERM.
    """
    narrator, start = Narrator(console), time.monotonic()
    error: SealmeshError | None = None
    with tempfile.TemporaryDirectory(prefix="sealmesh-demo-") as name, _interruptible():
        folder = Path(name)
        environment = plain_environment(folder)
        with Programs(environment) as programs:
            stage = Stage(
                folder=folder, programs=programs, narrator=narrator, environment=environment, mixed=mixed
            )
            try:
                for number, (title, play) in enumerate(ACTS):
                    with narrator.act(number, title):
                        play(stage)
            except SealmeshError as failure:
                error = failure
            seconds = time.monotonic() - start
            if keep and error is None:
                keep_running(stage)
    return Report(acts=tuple(narrator.acts), seconds=seconds, error=error)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the demo as Ctrl-C does, through every `with` block."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
