"""The metrics address: `/metrics` and `/events`, plain HTTP, reading only.

A scrape costs the process a bounded amount of time and memory, and cannot wait for long: what does not
answer in time is left out of the answer. Nothing that goes wrong here reaches the other two ports.
"""

import asyncio
import json
import socket
from collections.abc import Sequence
from typing import Final

from sealmesh import __version__
from sealmesh.adapters.http import Calls, Limits, Observer, Request, Response
from sealmesh.adapters.telemetry.events import EventDocument, render_events
from sealmesh.adapters.telemetry.listener import PlainListener
from sealmesh.adapters.telemetry.siblings import Siblings
from sealmesh.adapters.telemetry.snapshot import Family, Snapshot, add_up, from_json, gauge, render, to_json
from sealmesh.adapters.telemetry.telemetry import Telemetry
from sealmesh.coordinator.api import CoordinatorPort

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
_STATE_SECONDS: Final = 1.0
_METRICS: Final = b"metrics"
_EVENTS: Final = b"events"


class TelemetryServer:
    """Serves what this process counted, and its siblings.

    Args:
        coordinator: Asked for its state, in a thread of its own.
        siblings: None where this is the only worker.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        coordinator: CoordinatorPort,
        *,
        observer: Observer,
        siblings: Siblings | None = None,
        limits: Limits = TELEMETRY_LIMITS,
    ) -> None:
        self._telemetry = telemetry
        self._coordinator = coordinator
        self._observer = observer
        self._siblings = siblings
        self._calls = Calls(threads=1, waiting=4)
        self._listener = PlainListener(self._answer, limits=limits, observer=observer)

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on bound sockets."""
        if self._siblings is not None:
            await self._siblings.start({_METRICS: self._own_metrics, _EVENTS: self._own_events})
        await self._listener.start(sockets)

    async def stop(self) -> None:
        """Hang up."""
        await self._listener.stop()
        if self._siblings is not None:
            await self._siblings.stop()
        self._calls.close()

    async def _answer(self, request: Request) -> Response:
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
