"""The client port's server."""

import socket
from collections.abc import Callable, Sequence

from sealmesh.adapters.http import Application, Calls, Limits, Listener, Observer, Silence
from sealmesh.adapters.rest.application import RestApplication
from sealmesh.adapters.rest.limits import CLIENT_LIMITS
from sealmesh.adapters.tls import ClientCertificate, ContextSource, TlsIdentity, TlsProfile
from sealmesh.coordinator.api import CoordinatorPort

#: COMPAT section 2.
CLIENT_PROFILE = TlsProfile(alpn=(b"h2", b"http/1.1"), client_certificate=ClientCertificate.OPTIONAL)


class ClientServer:
    """REST over HTTP/2 and HTTP/1.1.

    Args:
        calls: Threads for the Coordinator's calls; may be shared with the mesh port's server.
        meter: Puts something around the application that counts its requests.
    """

    def __init__(
        self,
        coordinator: CoordinatorPort,
        *,
        calls: Calls,
        limits: Limits = CLIENT_LIMITS,
        observer: Observer | None = None,
        meter: Callable[[Application], Application] | None = None,
    ) -> None:
        self._coordinator = coordinator
        watching = observer or Silence()
        application: Application = RestApplication(coordinator, calls=calls, observer=watching)
        self.listener = Listener(
            application if meter is None else meter(application),
            contexts=ContextSource(self._identity, CLIENT_PROFILE),
            limits=limits,
            fallback=b"http/1.1",
            observer=watching,
        )

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on bound sockets."""
        await self.listener.start(sockets)

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Accept no more, let requests in the making finish, hang up."""
        await self.listener.stop(grace_seconds)

    def _identity(self) -> TlsIdentity:
        identity = self._coordinator.server_identity()
        return TlsIdentity(
            chain=identity.client_chain, key=identity.client_key, generation=identity.generation
        )
