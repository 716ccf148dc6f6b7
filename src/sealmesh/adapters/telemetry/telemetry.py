"""What one process counts, and the wrappers that count it."""

import time
from typing import Final

from prometheus_client import CollectorRegistry

from sealmesh.adapters.clock import system_clock
from sealmesh.adapters.http import Application, Observer
from sealmesh.adapters.rest.routes import ROUTES
from sealmesh.adapters.rest.target import decode_path
from sealmesh.adapters.telemetry.admissions import watch_admissions
from sealmesh.adapters.telemetry.connections import CountingObserver
from sealmesh.adapters.telemetry.events import EventDocument, EventLog
from sealmesh.adapters.telemetry.families import (
    AdmissionFamilies,
    ConnectionFamilies,
    GrpcFamilies,
    HttpFamilies,
)
from sealmesh.adapters.telemetry.meters import OTHER, GrpcMeter, HttpMeter
from sealmesh.adapters.telemetry.snapshot import Snapshot, take
from sealmesh.coordinator.api import CoordinatorPort
from sealmesh.coordinator.ports import Clock
from sealmesh.wire import methods

_PATHS: Final = frozenset(path for _method, path in ROUTES)
_METHODS: Final = (methods.ACTIVATE, methods.CHALLENGE, methods.ENROL, methods.RENEW)
_PORTS: Final = ("mesh", "client")


class Telemetry:
    """The counters of one process; nothing of it is global."""

    def __init__(self, *, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._registry = CollectorRegistry()
        self._events = EventLog()
        self._admissions = AdmissionFamilies(self._registry)
        self._grpc = GrpcFamilies(self._registry, _METHODS)
        self._http = HttpFamilies(self._registry, (*sorted(_PATHS), OTHER))
        self._connections = ConnectionFamilies(self._registry, _PORTS)

    def coordinator(self, coordinator: CoordinatorPort) -> CoordinatorPort:
        """Return `coordinator` with its activations counted."""
        return watch_admissions(coordinator, self._admissions, self._events, self._clock)

    def mesh(self, application: Application) -> Application:
        """Return the mesh port's application with its calls counted."""
        return GrpcMeter(application, self._grpc)

    def client(self, application: Application) -> Application:
        """Return the client port's application with its requests counted."""
        return HttpMeter(
            application, self._http, paths=_PATHS, decode_path=decode_path, seconds=time.perf_counter
        )

    def observer(self, port: str, observer: Observer) -> Observer:
        """Return `observer` of `mesh` or `client` with what it hears counted."""
        return CountingObserver(observer, self._connections, port)

    def snapshot(self) -> Snapshot:
        """Return what was counted so far."""
        return take(self._registry)

    def events(self) -> list[EventDocument]:
        """Return the last activations."""
        return self._events.documents()
