"""The sockets of one process."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """Bound sockets of the two ports, and of the metrics address where there is one."""

    mesh: Sequence[socket.socket]
    client: Sequence[socket.socket]
    metrics: Sequence[socket.socket] = ()

    def close(self) -> None:
        """Close them all."""
        for one in (*self.mesh, *self.client, *self.metrics):
            one.close()
