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
from sealmesh.adapters.rpc.framing import FramingError, Status, answer, message_of, refusal, status_of
from sealmesh.adapters.rpc.limits import MESH_LIMITS, MESSAGE_BYTES
from sealmesh.adapters.rpc.services import Method, methods_of
from sealmesh.adapters.tls import ClientCertificate, ContextSource, TlsIdentity, TlsProfile
from sealmesh.coordinator.api import CoordinatorPort
from sealmesh.errors import SealmeshError, grpc_status
from sealmesh.wire import methods as method_names
from sealmesh.wire.error_detail import encode_error

_OWN = method_names.OWN_ALPN.encode()
#: COMPAT section 2.
MESH_PROFILE = TlsProfile(alpn=(b"h2",), client_certificate=ClientCertificate.REQUIRED)


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
    """`MeshTransport` on our HTTP/2 listener.

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
        application: Application = GrpcApplication(
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


class GrpcApplication:
    """Unary gRPC methods as an HTTP application."""

    def __init__(self, methods: Mapping[str, Method], *, calls: Calls, observer: Observer) -> None:
        self._methods = methods
        self._calls = calls
        self._observer = observer

    async def __call__(self, request: Request) -> Response:
        """Answer one call; whatever goes wrong is a gRPC status."""
        begun = perf_counter()
        response = await self._answer(request)
        known = request.path if request.path in self._methods else UNKNOWN_METHOD
        self._observer.answered("POST", known, status_of(response), perf_counter() - begun)
        return response

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(status=405)
        if not (request.header("content-type") or "").startswith("application/grpc"):
            return Response(status=415)
        method = self._methods.get(request.path)
        if method is None:
            return refusal(Status.UNIMPLEMENTED, "there is no such method")
        return await self._call(method, request)

    async def _call(self, method: Method, request: Request) -> Response:
        if request.body_state is not BodyState.WHOLE:
            return _too_large(request.body_state)
        try:
            message = message_of(request)
        except FramingError as error:
            return refusal(
                Status.UNIMPLEMENTED if request.body[:1] == b"\x01" else Status.INTERNAL, str(error)
            )
        try:
            chain = request.peer_chain()
            return answer(await self._calls.run(lambda: method(message, chain)))
        except SealmeshError as error:
            return refusal(_status(error, request.path), str(error), _detail(error))
        except Exception as error:
            self._observer.fault(request.path, error)
            return refusal(Status.INTERNAL, "internal error")


def _status(error: SealmeshError, path: str) -> Status:
    legacy = getattr(error, "legacy_grpc_status", None) if path == method_names.ACTIVATE else None
    return Status[legacy or grpc_status(error.kind)]


def _detail(error: SealmeshError) -> tuple[str, bytes]:
    return method_names.ERROR_DETAIL_KEY, encode_error(error)


def _too_large(state: BodyState) -> Response:
    if state is BodyState.TOO_LARGE:
        return refusal(Status.RESOURCE_EXHAUSTED, f"the message is larger than {MESSAGE_BYTES} bytes")
    return refusal(Status.UNAVAILABLE, "too many large messages at once, try again")
