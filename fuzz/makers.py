"""What the tests make Evidence and statements with: the seeds come from the same simulated platforms."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_TESTS = Path(__file__).resolve().parents[1] / "tests"


def maker(path: str) -> ModuleType:
    """Return a file below `tests` as a module."""
    name = "fuzz_maker_" + path.replace("/", "_").removesuffix(".py")
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _TESTS / path)
        if spec is None or spec.loader is None:
            raise FileNotFoundError(path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def evidence_maker() -> Any:
    """Return `tests/evidence/genuine.py`."""
    return maker("evidence/genuine.py")
