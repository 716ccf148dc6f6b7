"""One process that serves its ports until it is told to stop."""

import asyncio
import signal
from collections.abc import Collection
from pathlib import Path

from sealmesh.adapters.http import Calls
from sealmesh.coordinator.coordinator import Coordinator
from sealmesh.server.garbage import collect_less
from sealmesh.server.lifeline import Lifeline
from sealmesh.server.one_cpu import OneCpu
from sealmesh.server.servers import metered_servers, plain_servers
from sealmesh.server.sockets import Sockets

#: For requests in the making when the process is told to stop.
GRACE_SECONDS = 5.0


async def serve(
    coordinator: Coordinator,
    sockets: Sockets,
    lifeline: Lifeline | None = None,
    *,
    workers: Path | None = None,
    open_metrics: bool = True,
    cpus: Collection[int] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; requests in the making are answered first.

    Args:
        coordinator: What is served.
        sockets: Where.
        lifeline: The tie to the parent, in a worker.
        workers: The directory where the workers find each other, if there are several and metrics.
        open_metrics: Metrics are plain HTTP for everybody who gets there; otherwise TLS, and for users.
        cpus: Stay on one of these at a time; None: where the system puts the threads.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if lifeline is not None:
        lifeline.watch(loop)
    calls = Calls()
    servers = (
        metered_servers(coordinator, calls, workers=workers, open_metrics=open_metrics)
        if sockets.metrics
        else plain_servers(coordinator, calls)
    )
    await servers.start(sockets)
    collect_less()
    together = None if cpus is None else OneCpu(cpus)
    if together is not None:
        together.start()
    try:
        await stop.wait()
    finally:
        if together is not None:
            together.stop()
        await servers.stop(GRACE_SECONDS)
        calls.close()
