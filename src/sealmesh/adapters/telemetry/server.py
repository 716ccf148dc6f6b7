"""The metrics address: `/metrics` and `/events`, reading only; plain HTTP, or for users over mutual TLS.

A scrape costs the process a bounded amount of time and memory, and cannot wait for long: what does not
answer in time is left out of the answer. Nothing that goes wrong here reaches the other two ports.
"""

import asyncio
import json
import socket
from collections.abc import Sequence
from typing import Final

from sealmesh import __version__
from sealmesh.adapters.http import Calls, Limits, Listener, Observer, Request, Response
from sealmesh.adapters.telemetry.events import EventDocument, render_events
from sealmesh.adapters.telemetry.listener import PlainListener
from sealmesh.adapters.telemetry.siblings import Siblings
from sealmesh.adapters.telemetry.snapshot import Family, Snapshot, add_up, from_json, gauge, render, to_json
from sealmesh.adapters.telemetry.telemetry import Telemetry
from sealmesh.adapters.tls import ClientCertificate, ContextSource, TlsIdentity, TlsProfile
from sealmesh.coordinator.api import CoordinatorPort
from sealmesh.coordinator.phase import Act
from sealmesh.errors import SealmeshError

TELEMETRY_LIMITS: Final = Limits(
    body_bytes=1024,
    body_bytes_total=64 * 1024,
    drain_bytes=64 * 1024,
    header_bytes=8 * 1024,
    connections=32,
    request_seconds=5.0,
    response_seconds=10.0,
    idle_seconds=120.0,
    backlog=64,
)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
#: As on the client port, but nobody has business here without a certificate.
METRICS_PROFILE: Final = TlsProfile(alpn=(b"h2", b"http/1.1"), client_certificate=ClientCertificate.REQUIRED)
_STATE_SECONDS: Final = 1.0
_METRICS: Final = b"metrics"
_EVENTS: Final = b"events"


class TelemetryServer:
    """Serves what this process counted, and its siblings.

    Args:
        coordinator: Asked for its state, in a thread of its own.
        siblings: None where this is the only worker.
        users_only: Serve over TLS, as the client port does, and answer only users of the manifest: for an
            address that others can reach.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        coordinator: CoordinatorPort,
        *,
        observer: Observer,
        siblings: Siblings | None = None,
        limits: Limits = TELEMETRY_LIMITS,
        users_only: bool = False,
    ) -> None:
        self._telemetry = telemetry
        self._coordinator = coordinator
        self._observer = observer
        self._siblings = siblings
        self._calls = Calls(threads=1, waiting=4)
        self._users_only = users_only
        self._listener = (
            self._tls_listener(limits)
            if users_only
            else PlainListener(self._answer, limits=limits, observer=observer)
        )

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on bound sockets."""
        if self._siblings is not None:
            await self._siblings.start({_METRICS: self._own_metrics, _EVENTS: self._own_events})
        await self._listener.start(sockets)

    async def stop(self) -> None:
        """Hang up."""
        await self._listener.stop(0.0)
        if self._siblings is not None:
            await self._siblings.stop()
        self._calls.close()

    def _tls_listener(self, limits: Limits) -> Listener:
        return Listener(
            self._answer,
            contexts=ContextSource(self._identity, METRICS_PROFILE),
            limits=limits,
            fallback=b"http/1.1",
            observer=self._observer,
        )

    def _identity(self) -> TlsIdentity:
        identity = self._coordinator.server_identity()
        return TlsIdentity(
            chain=identity.client_chain, key=identity.client_key, generation=identity.generation
        )

    async def _is_let_in(self, request: Request) -> bool:
        if not self._users_only:
            return True
        chain = request.peer_chain()
        try:
            await self._calls.run(lambda: self._coordinator.admit(Act.READ_METRICS, chain))
        except SealmeshError:
            return False
        return True

    async def _answer(self, request: Request) -> Response:
        if not await self._is_let_in(request):
            return _text(401, "show the certificate of a user in the manifest\n")
        if request.path not in ("/metrics", "/events"):
            return _text(404, "/metrics and /events are here\n")
        if request.method not in ("GET", "HEAD"):
            return _text(405, "GET only\n")
        if request.path == "/metrics":
            return Response(
                status=200, headers=(("content-type", CONTENT_TYPE),), body=render(await self._snapshot())
            )
        return Response(
            status=200,
            headers=(("content-type", "application/json"),),
            body=render_events(await self._events()),
        )

    async def _snapshot(self) -> Snapshot:
        others = [from_json(raw) for raw in await self._ask(_METRICS)]
        facts = [gauge("coordinator_version_info", "Version", 0, version=__version__, commit="")]
        facts += await self._state()
        if self._siblings is not None:
            facts.append(gauge("sealmesh_workers_counted", "Workers in these numbers", 1 + len(others)))
        return (*facts, *add_up([self._telemetry.snapshot(), *others]))

    async def _state(self) -> list[Family]:
        """Return the Coordinator's state, or nothing where it cannot be had now."""
        try:
            async with asyncio.timeout(_STATE_SECONDS):
                status = await self._calls.run(self._coordinator.status)
        except Exception as error:  # the counters are worth having without it
            self._observer.fault("metrics", error)
            return []
        return [gauge("coordinator_state", "State of the Coordinator, see `status`", status.code)]

    async def _events(self) -> list[EventDocument]:
        documents = self._telemetry.events()
        for raw in await self._ask(_EVENTS):
            documents += json.loads(raw)
        return documents

    async def _ask(self, topic: bytes) -> list[bytes]:
        return [] if self._siblings is None else await self._siblings.ask(topic)

    def _own_metrics(self) -> bytes:
        return to_json(self._telemetry.snapshot())

    def _own_events(self) -> bytes:
        return json.dumps(self._telemetry.events()).encode()


def _text(status: int, body: str) -> Response:
    return Response(
        status=status, headers=(("content-type", "text/plain; charset=utf-8"),), body=body.encode()
    )
