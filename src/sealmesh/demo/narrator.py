"""Telling a demo as it happens, and writing down what was asserted."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape

from sealmesh.errors.cli import DemoFailed


@dataclass(slots=True)
class Check:
    """One thing that was asserted."""

    claim: str
    held: bool
    detail: str


@dataclass(slots=True)
class Act:
    """One act and what came of it."""

    number: int
    name: str
    checks: list[Check] = field(default_factory=list)
    passed: bool = False
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """Return the act for `--json`."""
        checks = [{"claim": item.claim, "held": item.held, "detail": item.detail} for item in self.checks]
        return {
            "act": self.number,
            "name": self.name,
            "passed": self.passed,
            "seconds": round(self.seconds, 2),
            "checks": checks,
        }


class Narrator:
    """Says what happens; on a dumb terminal without colours."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.acts: list[Act] = []

    @contextmanager
    def act(self, number: int, name: str) -> Iterator[Act]:
        """Announce an act, time it, and tell whether it held."""
        act = Act(number, name)
        self.acts.append(act)
        self._console.print(f"\n[bold cyan]Act {number}: {escape(name)}[/]", highlight=False)
        start = time.monotonic()
        try:
            yield act
            act.passed = True
        finally:
            act.seconds = time.monotonic() - start

    def say(self, text: str) -> None:
        """Tell what is being done."""
        self._console.print(f"  {escape(text)}", highlight=False, soft_wrap=True)

    def quote(self, text: str) -> None:
        """Show words of a program as they were written."""
        for line in text.strip().splitlines():
            self._console.print(f"    [dim]| {escape(line[:160])}[/]", highlight=False, soft_wrap=True)

    def check(self, claim: str, held: bool, detail: str = "") -> None:
        """Assert `claim`.

        Raises:
            DemoFailed: It does not hold.
        """
        self.acts[-1].checks.append(Check(claim, held, detail))
        mark = "[green]ok[/]" if held else "[bold red]FAILED[/]"
        tail = f" [dim]({escape(detail)})[/]" if detail else ""
        self._console.print(f"  {mark} {escape(claim)}{tail}", highlight=False, soft_wrap=True)
        if not held:
            raise DemoFailed(f"act {self.acts[-1].number}: {claim}", found=detail or "the opposite")
