"""One process that serves both ports until it is told to stop."""

import asyncio
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from sealmesh.adapters.grpc import MeshServer
from sealmesh.adapters.http import Calls
from sealmesh.adapters.rest import ClientServer
from sealmesh.coordinator.coordinator import Coordinator
from sealmesh.server.lifeline import Lifeline
from sealmesh.server.observer import LogObserver

#: For requests in the making when the process is told to stop.
GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """Bound sockets of the two ports."""

    mesh: Sequence[socket.socket]
    client: Sequence[socket.socket]

    def close(self) -> None:
        """Close them all."""
        for one in (*self.mesh, *self.client):
            one.close()


async def serve(coordinator: Coordinator, sockets: Sockets, lifeline: Lifeline | None = None) -> None:
    """Serve until SIGTERM or SIGINT; requests in the making are answered first."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if lifeline is not None:
        lifeline.watch(loop)
    calls = Calls()
    mesh = MeshServer(coordinator, calls=calls, observer=LogObserver("mesh"))
    client = ClientServer(coordinator, calls=calls, observer=LogObserver("client"))
    await client.start(sockets.client)
    await mesh.start(sockets.mesh)
    try:
        await stop.wait()
    finally:
        await asyncio.gather(mesh.stop(GRACE_SECONDS), client.stop(GRACE_SECONDS))
        calls.close()
