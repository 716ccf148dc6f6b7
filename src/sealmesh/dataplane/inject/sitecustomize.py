"""Starts the data plane in this interpreter, then gives way to the environment's own `sitecustomize`.

`site` swallows exceptions of this module: the program would run in plaintext. So whatever goes wrong ends
the process here. The modules are loaded from the tree this file lies in and leave `sys.modules` again: the
program may have its own sealmesh, of any version, or none.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EXIT_NOT_STARTED = 97
_HERE = os.path.dirname(os.path.abspath(__file__))
_TREE = os.path.dirname(os.path.dirname(os.path.dirname(_HERE)))
_NEEDED = ("sealmesh", "sealmesh.errors", "sealmesh.policy", "sealmesh.dataplane")


class _OwnModules:
    """Finds the few modules of sealmesh that the wrap needs, in its own tree and nowhere else."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        if name != "sealmesh" and not name.startswith("sealmesh."):
            return None
        if name not in _NEEDED and not name.startswith(tuple(known + "." for known in _NEEDED[1:])):
            raise ImportError("the data plane must not import " + name)
        where = [_TREE] if path is None else path
        return importlib.machinery.PathFinder.find_spec(name, where, target)


def _start() -> Any:
    if sys.version_info < (3, 11):  # noqa: UP036 - the interpreter is the program's, not ours
        raise RuntimeError("Python 3.11 or newer is needed, this is " + sys.version.split()[0])
    finder = _OwnModules()
    sys.meta_path.insert(0, finder)
    try:
        start = importlib.import_module("sealmesh.dataplane.start")
        start.seize()
        agent = os.environ.get(start.AGENT_VARIABLE)
        if not agent:
            raise RuntimeError(start.AGENT_VARIABLE + " is not set")
        return importlib.import_module("sealmesh.dataplane.begin").begin(agent, _HERE)
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name == "sealmesh" or name.startswith("sealmesh.")]:
            del sys.modules[name]


def _give_way() -> None:
    """Run the `sitecustomize` that would have run without us."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != _HERE]
    importlib.invalidate_caches()
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize")
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


try:
    _engine = _start()
except BaseException as error:
    message = "sealmesh: the data plane did not start, so the program does not: {}: {}\n"
    os.write(2, message.format(type(error).__name__, error).encode("utf-8", "replace"))
    os._exit(EXIT_NOT_STARTED)
_give_way()
