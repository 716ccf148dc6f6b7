"""What is fuzzed: something that reads bytes of strangers."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import fuzz.targets

MILLISECONDS, MEGABYTES = 50.0, 10.0
"""What refusing anything may cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One parser or verifier.

    Attributes:
        run: Reads the input. Only a `SealmeshError` may come out of it; what it asserts must hold.
        seeds: Makes good inputs, each by a name; `run` takes all of them.
        words: What the inputs are made of, for the fuzzer to put in.
        longest: Bytes of an input.
        milliseconds: Processor time that one input may take.
        megabytes: Memory that one input may take.
    """

    run: Callable[[bytes], object]
    seeds: Callable[[], Mapping[str, bytes]]
    words: tuple[bytes, ...] = ()
    longest: int = 16 * 1024
    milliseconds: float = MILLISECONDS
    megabytes: float = MEGABYTES


def target_names() -> list[str]:
    """Return the names of all targets."""
    return sorted(found.name for found in pkgutil.iter_modules(fuzz.targets.__path__))


def load_target(name: str) -> Target:
    """Import a target; what it imports may be instrumented meanwhile."""
    target = importlib.import_module(f"fuzz.targets.{name}").TARGET
    if not isinstance(target, Target):
        raise TypeError(f"fuzz/targets/{name}.py has no TARGET")
    return target
