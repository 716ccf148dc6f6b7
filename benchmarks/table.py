"""The lines of the report: one figure each, in units, with its aim where it has one."""

import math
from dataclasses import dataclass

from benchmarks.units import UnitClock

_NAME = 47


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU of the server for one call, over several rounds.

    Attributes:
        quiet: Of the round that was disturbed least (the smallest); aims are held against this one.
        middle: The median.
        unit: CPU seconds of one P-384 verification, timed between these rounds: the smallest, and the median.
            None: timed when the figure is printed.
    """

    quiet: float
    middle: float
    unit: tuple[float, float] | None = None
    per_second: float = math.nan
    p50_ms: float = math.nan


class Table:
    """Prints; in units of one P-384 verification."""

    def __init__(self) -> None:
        self._clock = UnitClock()

    def head(self, title: str) -> None:
        """Print the head of a group."""
        print(f"\n{title}\n  {'':{_NAME}} {'quiet':>7} {'median':>7}  units", flush=True)

    def cost(self, name: str, cost: Cost, *, aim: float | None = None, note: str = "") -> float:
        """Print a cost, return its units in the quiet round."""
        quiet_unit, middle_unit = cost.unit or (self._clock.time(),) * 2
        quiet, middle = cost.quiet / quiet_unit, cost.middle / middle_unit
        parts = [f"{cost.quiet * 1000:6.2f} ms CPU"]
        if not math.isnan(cost.per_second):
            parts.append(f"{cost.per_second:4.0f}/s")
        if not math.isnan(cost.p50_ms):
            parts.append(f"p50 {cost.p50_ms:.1f} ms")
        if aim is not None:
            parts.append(f"aim {aim:g}: {'met' if quiet <= aim else 'MISSED'}")
        if note:
            parts.append(note)
        print(f"  {name:{_NAME}} {quiet:7.2f} {middle:7.2f}  {', '.join(parts)}", flush=True)
        return quiet

    def line(self, name: str, text: str) -> None:
        """Print a line without units."""
        print(f"  {name:{_NAME}} {text}", flush=True)
