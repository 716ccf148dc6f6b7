"""The second step of the start: engine, agent, proof."""

import atexit
import os

from sealmesh.dataplane.channel import Channel
from sealmesh.dataplane.children import Children
from sealmesh.dataplane.engine import Engine
from sealmesh.dataplane.loops import watch_imports
from sealmesh.dataplane.original import immediate_exit
from sealmesh.dataplane.proof import prove
from sealmesh.dataplane.sockets import govern
from sealmesh.errors.dataplane import WrapStartError


def begin(agent: str, inject: str) -> Engine:
    """Connect to the agent, prove the wrap, and govern the program's sockets and children from now on.

    Args:
        agent: The agent's socket.
        inject: The directory that a child's `PYTHONPATH` has to begin with.

    Raises:
        SealmeshError: No agent, or the wrap did not prove itself.
    """
    engine = Engine(Channel(agent))
    expected = engine.current().configuration.spiffe_id
    govern(engine)
    seen = prove(engine)
    if seen != expected:
        raise WrapStartError("The data plane met somebody else", found=seen, wanted=expected)
    children = Children(inject, agent, engine.children_are_free, engine.report_child)
    children.govern()
    os.register_at_fork(after_in_child=engine.forked)
    atexit.register(engine.finish)
    _flush_before_immediate_exit(engine)
    watch_imports(engine, children)
    engine.tell({"type": "ready", "pid": os.getpid(), "spiffe_id": seen, "confined": False})
    return engine


def _flush_before_immediate_exit(engine: Engine) -> None:
    """`os._exit` (children of `multiprocessing` use it) runs no exit functions; the kernel would deliver."""

    def _exit(status: int) -> None:
        try:
            engine.finish()
        finally:
            immediate_exit(status)

    os._exit = _exit  # type: ignore[assignment]
