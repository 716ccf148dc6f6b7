"""The mesh port's server, and the seam behind which another could stand."""

import socket
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Protocol

from sealmesh.adapters.http import (
    Application,
    BodyState,
    Calls,
    Limits,
    Listener,
    Observer,
    Request,
    Response,
    Silence,
)
from sealmesh.adapters.rpc.choice import framing_of
from sealmesh.adapters.rpc.framing import Framing, FramingError, Refusal
from sealmesh.adapters.rpc.limits import MESH_LIMITS, MESSAGE_BYTES
from sealmesh.adapters.rpc.services import Method, methods_of
from sealmesh.adapters.tls import ClientCertificate, ContextSource, TlsIdentity, TlsProfile
from sealmesh.coordinator.api import CoordinatorPort
from sealmesh.errors import SealmeshError, grpc_status
from sealmesh.wire import methods as method_names
from sealmesh.wire.error_detail import encode_error
from sealmesh.wire.status import Status

_OWN = method_names.OWN_ALPN.encode()
#: COMPAT section 2; HTTP/1.1 is there for Marbles of ours alone.
MESH_PROFILE = TlsProfile(
    alpn=(b"h2",),
    alpn_for_offers={_OWN: (b"h2", b"http/1.1")},
    client_certificate=ClientCertificate.REQUIRED,
)


#: What the observer hears instead of a path that is not ours.
UNKNOWN_METHOD = "other"


class MeshTransport(Protocol):
    """A server for the mesh port; whoever composes knows no more of it."""

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on bound sockets."""
        ...

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Accept no more, let calls in the making finish, hang up."""
        ...


class MeshServer:
    """`MeshTransport` on our HTTP listener.

    Args:
        calls: Threads for the Coordinator's calls; may be shared with the client port's server.
        meter: Puts something around the application that counts its calls.
    """

    def __init__(
        self,
        coordinator: CoordinatorPort,
        *,
        calls: Calls,
        limits: Limits = MESH_LIMITS,
        observer: Observer | None = None,
        meter: Callable[[Application], Application] | None = None,
    ) -> None:
        self._coordinator = coordinator
        self._observer = observer or Silence()
        application: Application = RpcApplication(
            methods_of(coordinator), calls=calls, observer=self._observer
        )
        self.listener = Listener(
            application if meter is None else meter(application),
            contexts=ContextSource(self._identity, MESH_PROFILE),
            limits=limits,
            fallback=b"h2",
            observer=self._observer,
        )

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """See `MeshTransport.start`."""
        await self.listener.start(sockets)

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """See `MeshTransport.stop`."""
        await self.listener.stop(grace_seconds)

    def _identity(self) -> TlsIdentity:
        identity = self._coordinator.server_identity()
        generation, own = identity.generation, identity.enrolment
        shown = (
            {} if own is None else {_OWN: TlsIdentity(chain=own.chain, key=own.key, generation=generation)}
        )
        return TlsIdentity(
            chain=identity.mesh_chain, key=identity.mesh_key, generation=generation, for_offers=shown
        )


class RpcApplication:
    """Unary methods as an HTTP application."""

    def __init__(self, methods: Mapping[str, Method], *, calls: Calls, observer: Observer) -> None:
        self._methods = methods
        self._calls = calls
        self._observer = observer

    async def __call__(self, request: Request) -> Response:
        """Answer one call; whatever goes wrong is a status of its protocol."""
        begun = perf_counter()
        framing = framing_of(request)
        if isinstance(framing, Response):
            response, status = framing, str(framing.status)
        else:
            outcome = await self._outcome(framing, request)
            if isinstance(outcome, Refusal):
                response, status = framing.refusal(outcome), outcome.status.name
            else:
                response, status = framing.answer(outcome), Status.OK.name
        known = request.path if request.path in self._methods else UNKNOWN_METHOD
        self._observer.answered("POST", known, status, perf_counter() - begun)
        return response

    async def _outcome(self, framing: Framing, request: Request) -> bytes | Refusal:
        method = self._methods.get(request.path)
        if method is None:
            return Refusal(Status.UNIMPLEMENTED, "there is no such method")
        if request.body_state is not BodyState.WHOLE:
            return _too_large(request.body_state)
        try:
            message = framing.message_of(request)
            chain = request.peer_chain()
            return await self._calls.run(lambda: method(message, chain))
        except FramingError as error:
            return Refusal(error.status, str(error))
        except SealmeshError as error:
            return Refusal(_status(error, request.path), str(error), encode_error(error))
        except Exception as error:
            self._observer.fault(request.path, error)
            return Refusal(Status.INTERNAL, "internal error")


def _status(error: SealmeshError, path: str) -> Status:
    legacy = getattr(error, "legacy_grpc_status", None) if path == method_names.ACTIVATE else None
    return Status[legacy or grpc_status(error.kind)]


def _too_large(state: BodyState) -> Refusal:
    if state is BodyState.TOO_LARGE:
        return Refusal(Status.RESOURCE_EXHAUSTED, f"the message is larger than {MESSAGE_BYTES} bytes")
    return Refusal(Status.UNAVAILABLE, "too many large messages at once, try again")
