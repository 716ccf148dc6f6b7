"""Counts what the servers tell of their connections, and passes it on."""

from sealmesh.adapters.http import Observer
from sealmesh.adapters.telemetry.families import ConnectionFamilies


class CountingObserver:
    """Implements the servers' `Observer` around another one.

    Args:
        port: Which server, `mesh` or `client`.
    """

    def __init__(self, observer: Observer, families: ConnectionFamilies, port: str) -> None:
        self._observer = observer
        self._failed = families.handshakes_failed.labels(port)
        self._evicted = families.evicted.labels(port)
        self._faults = families.faults.labels(port)

    def handshake_failed(self, peer_address: str, reason: str) -> None:
        """See `Observer.handshake_failed`."""
        self._failed.inc()
        self._observer.handshake_failed(peer_address, reason)

    def evicted(self, peer_address: str, reason: str) -> None:
        """See `Observer.evicted`."""
        self._evicted.inc()
        self._observer.evicted(peer_address, reason)

    def answered(self, method: str, route: str, status: str, seconds: float) -> None:
        """See `Observer.answered`."""
        self._observer.answered(method, route, status, seconds)

    def fault(self, where: str, error: BaseException) -> None:
        """See `Observer.fault`."""
        self._faults.inc()
        self._observer.fault(where, error)
