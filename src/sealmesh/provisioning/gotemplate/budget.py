"""What one execution may use up: work and depth.

With `MAX_OUTPUT` these keep any template from taking the Coordinator down.
"""

from sealmesh.provisioning.gotemplate.values import ByteSlice, Value

__all__ = ["MAX_DEPTH", "MAX_WORK", "Budget", "ExecutionFailure", "LimitFailure", "size_in_steps"]

#: Templates, control structures and parentheses inside each other. Reason: Python's stack; Go allows 100000
#: templates, which nobody but an endless recursion reaches.
MAX_DEPTH = 100
#: Steps of one execution; a node, a turn of a loop and each 256 bytes given to or returned by a function cost
#: one. Reason: about half a second of one core, while an activation takes milliseconds.
MAX_WORK = 200_000
_BYTES_PER_STEP = 256


class ExecutionFailure(Exception):
    """What went wrong and where; `Template` turns the offset into line and column."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class LimitFailure(ExecutionFailure):
    """A named limit was passed."""


class Budget:
    """Counts down."""

    def __init__(self) -> None:
        self._work = MAX_WORK
        self._depth = 0

    def _spend(self, steps: int, offset: int) -> None:
        self._work -= steps
        if self._work < 0:
            raise LimitFailure(f"more than {MAX_WORK} steps", offset)

    def _deeper(self, offset: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise LimitFailure(
                f"templates, control structures and parentheses more than {MAX_DEPTH} deep", offset
            )


def size_in_steps(value: Value) -> int:
    """Return what it costs to hand `value` to a function or take it from one."""
    if type(value) is bytes:
        return len(value) // _BYTES_PER_STEP
    return len(value.data) // _BYTES_PER_STEP if type(value) is ByteSlice else 0
