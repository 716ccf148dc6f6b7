"""Where a server tells what happens to it; metrics and logs hang here."""

from typing import Protocol


class Observer(Protocol):
    """Hears what happens. Must not block and must not raise."""

    def handshake_failed(self, peer_address: str, reason: str) -> None: ...

    def evicted(self, peer_address: str, reason: str) -> None:
        """A connection was closed to make room, or because it did nothing for too long."""
        ...

    def answered(self, method: str, route: str, status: str, seconds: float) -> None:
        """A request was answered. `route` is one of the server's own, never the peer's spelling."""
        ...

    def fault(self, where: str, error: BaseException) -> None:
        """Something came out that should not: our fault. Log it with its traceback, once."""
        ...


class Silence:
    """Hears nothing."""

    def handshake_failed(self, peer_address: str, reason: str) -> None: ...
    def evicted(self, peer_address: str, reason: str) -> None: ...
    def answered(self, method: str, route: str, status: str, seconds: float) -> None: ...
    def fault(self, where: str, error: BaseException) -> None: ...
