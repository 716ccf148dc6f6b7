"""Counts activations, around a Coordinator that does not know of it."""

from collections.abc import Callable
from typing import Final, TypeVar, cast

from sealmesh.adapters.telemetry.events import EventLog
from sealmesh.adapters.telemetry.families import AdmissionFamilies
from sealmesh.adapters.telemetry.type_labels import TypeLabels
from sealmesh.coordinator.api import (
    ActivationReply,
    ActivationRequest,
    CoordinatorPort,
    EnrolReply,
    EnrolRequest,
)
from sealmesh.coordinator.ports import Clock

#: In place of the UUID, of which there is one for each Marble that ever ran (COMPAT section 15).
ANY_UUID: Final = "*"

Reply = TypeVar("Reply")


def watch_admissions(
    coordinator: CoordinatorPort, families: AdmissionFamilies, events: EventLog, clock: Clock
) -> CoordinatorPort:
    """Return `coordinator`, with both ways to activate a Marble counted."""
    return cast("CoordinatorPort", _Watched(coordinator, families, events, clock))


class _Watched:
    """Passes everything through."""

    def __init__(
        self, coordinator: CoordinatorPort, families: AdmissionFamilies, events: EventLog, clock: Clock
    ) -> None:
        self._coordinator = coordinator
        self._families = families
        self._events = events
        self._clock = clock
        self._labels = TypeLabels()

    def __getattr__(self, name: str) -> object:
        return getattr(self._coordinator, name)

    def activate(self, request: ActivationRequest) -> ActivationReply:
        return self._counted(request, lambda: self._coordinator.activate(request))

    def enrol(self, request: EnrolRequest) -> EnrolReply:
        return self._counted(request, lambda: self._coordinator.enrol(request))

    def _counted(self, request: ActivationRequest | EnrolRequest, call: Callable[[], Reply]) -> Reply:
        admitted = False
        try:
            reply = call()
            admitted = True
        finally:
            self._count(request.marble_type, admitted=admitted)
        self._events.add(
            time=self._clock(),
            marble_type=request.marble_type,
            uuid=request.uuid,
            quote=request.evidence,
        )
        return reply

    def _count(self, marble_type: str, *, admitted: bool) -> None:
        label = self._labels.label(marble_type, admitted=admitted)
        self._families.attempts.labels(label, ANY_UUID).inc()
        if admitted:
            self._families.successes.labels(label, ANY_UUID).inc()
