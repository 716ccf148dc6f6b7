"""The servers of one process: the mesh port, the client port, and the metrics address where there is one."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealmesh.adapters.http import Calls
from sealmesh.adapters.rest import ClientServer
from sealmesh.adapters.rpc import MeshServer
from sealmesh.coordinator.api import CoordinatorPort
from sealmesh.server.observer import LogObserver
from sealmesh.server.sockets import Sockets

if TYPE_CHECKING:
    from sealmesh.adapters.telemetry import TelemetryServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """They start and stop together."""

    mesh: MeshServer
    client: ClientServer
    metrics: "TelemetryServer | None" = None

    async def start(self, sockets: Sockets) -> None:
        """Serve on bound sockets."""
        await self.client.start(sockets.client)
        await self.mesh.start(sockets.mesh)
        if self.metrics is not None:
            await self.metrics.start(sockets.metrics)

    async def stop(self, grace_seconds: float) -> None:
        """Accept no more, let requests in the making finish, hang up."""
        await asyncio.gather(self.mesh.stop(grace_seconds), self.client.stop(grace_seconds))
        if self.metrics is not None:
            await self.metrics.stop()


def plain_servers(coordinator: CoordinatorPort, calls: Calls) -> Servers:
    """Return the servers of the two ports."""
    return Servers(
        mesh=MeshServer(coordinator, calls=calls, observer=LogObserver("mesh")),
        client=ClientServer(coordinator, calls=calls, observer=LogObserver("client")),
    )


def metered_servers(
    coordinator: CoordinatorPort, calls: Calls, *, workers: Path | None, open_metrics: bool
) -> Servers:
    """Return the servers of the two ports with all counted, and the one that tells.

    Args:
        coordinator: What they serve.
        calls: Threads for the two ports.
        workers: The directory where the workers find each other; None where there is only one.
        open_metrics: Plain HTTP for everybody who gets there; otherwise TLS, and users only.
    """
    # Only here, because the metrics library costs time to load and most processes have no metrics.
    from sealmesh.adapters.telemetry import Siblings, Telemetry, TelemetryServer

    telemetry = Telemetry()
    return Servers(
        mesh=MeshServer(
            telemetry.coordinator(coordinator),
            calls=calls,
            observer=telemetry.observer("mesh", LogObserver("mesh")),
            meter=telemetry.mesh,
        ),
        client=ClientServer(
            coordinator,
            calls=calls,
            observer=telemetry.observer("client", LogObserver("client")),
            meter=telemetry.client,
        ),
        metrics=TelemetryServer(
            telemetry,
            coordinator,
            observer=LogObserver("metrics"),
            siblings=None if workers is None else Siblings(workers),
            users_only=not open_metrics,
        ),
    )
