"""The metric families of one process, on a registry of their own (COMPAT section 12).

Names, types, labels and buckets are MarbleRun's contract; families that start with `sealmesh_` are ours.
"""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS: Final = (0.005, 0.025, 0.1, 0.5, 1, 2.5, 5)
BYTES: Final = (100, 1000, 2000, 5000, 10000)
#: gRPC's status codes by number, as Go spells them.
GRPC_CODES: Final = (
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
)
_GRPC: Final = ("grpc_type", "grpc_service", "grpc_method")
_HTTP: Final = "server_client_api_http_"


class AdmissionFamilies:
    """Activations, by Marble type."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("type", "uuid")
        self.attempts = Counter(
            "coordinator_marble_activations_total", "Attempts to activate a Marble", labels, registry=registry
        )
        self.successes = Counter(
            "coordinator_marble_activations_success_total", "Marbles activated", labels, registry=registry
        )


class GrpcFamilies:
    """Calls on the mesh port."""

    def __init__(self, registry: CollectorRegistry, methods: Iterable[str]) -> None:
        self._labels = {path: ("unary", *path.strip("/").split("/")) for path in methods}
        self.started = Counter("grpc_server_started_total", "Calls begun", _GRPC, registry=registry)
        self.received = Counter(
            "grpc_server_msg_received_total", "Messages received", _GRPC, registry=registry
        )
        self.sent = Counter("grpc_server_msg_sent_total", "Messages sent", _GRPC, registry=registry)
        self.handled = Counter(
            "grpc_server_handled_total", "Calls ended, by code", (*_GRPC, "grpc_code"), registry=registry
        )
        self.unreadable = Counter(
            "sealmesh_grpc_unreadable_total",
            "Requests on the mesh port that were no call: no method, no message, too large",
            registry=registry,
        )
        for labels in self._labels.values():
            for family in (self.started, self.received, self.sent):
                family.labels(*labels)
            for code in GRPC_CODES:
                self.handled.labels(*labels, code)

    def labels_of(self, path: str) -> tuple[str, ...] | None:
        """Return the label values of a method's path; None for what is no method of this server."""
        return self._labels.get(path)


class HttpFamilies:
    """Requests on the client port."""

    def __init__(self, registry: CollectorRegistry, paths: Iterable[str]) -> None:
        self.requests = Counter(
            f"{_HTTP}request_total", "Requests answered", ("code", "method", "path"), registry=registry
        )
        self.duration = Histogram(
            f"{_HTTP}request_duration_histogram_seconds",
            "Time to answer a request",
            ("method", "path"),
            buckets=SECONDS,
            registry=registry,
        )
        self.request_size = Histogram(
            f"{_HTTP}request_size_histogram_bytes",
            "Request size, head and body",
            ("path",),
            buckets=BYTES,
            registry=registry,
        )
        self.response_size = Histogram(
            f"{_HTTP}response_size_histogram_bytes",
            "Size of the answers' bodies",
            ("path",),
            buckets=BYTES,
            registry=registry,
        )
        self.in_flight = Gauge(
            f"{_HTTP}in_flight_requests", "Requests being answered", ("path",), registry=registry
        )
        for path in paths:
            self.in_flight.labels(path)


class ConnectionFamilies:
    """Connections that came to nothing, on each port."""

    def __init__(self, registry: CollectorRegistry, ports: Iterable[str]) -> None:
        self.handshakes_failed = Counter(
            "sealmesh_tls_handshakes_failed_total", "TLS handshakes that failed", ("port",), registry=registry
        )
        self.evicted = Counter(
            "sealmesh_connections_evicted_total",
            "Connections closed to make room, or because they were too slow",
            ("port",),
            registry=registry,
        )
        self.faults = Counter(
            "sealmesh_faults_total",
            "Faults of the Coordinator itself; see the log",
            ("port",),
            registry=registry,
        )
        for port in ports:
            for family in (self.handshakes_failed, self.evicted, self.faults):
                family.labels(port)
