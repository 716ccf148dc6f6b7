"""What happens on the servers, told to the log. Each thing is logged once, here."""

from sealmesh.adapters.log import logger


class LogObserver:
    """Implements the servers' `Observer`.

    Args:
        port: Which server, `mesh` or `client`.
    """

    def __init__(self, port: str) -> None:
        self._port = port

    def handshake_failed(self, peer_address: str, reason: str) -> None:
        """Strangers fail all the time; that is no news at the usual level."""
        logger().debug("handshake failed", port=self._port, peer=peer_address, reason=reason)

    def evicted(self, peer_address: str, reason: str) -> None:
        """Log who was hung up on."""
        logger().debug("connection closed", port=self._port, peer=peer_address, reason=reason)

    def answered(self, method: str, route: str, status: str, seconds: float) -> None:
        """Log a request with its outcome."""
        logger().debug(
            "answered", port=self._port, method=method, route=route, status=status, seconds=round(seconds, 6)
        )

    def fault(self, where: str, error: BaseException) -> None:
        """Log our own fault with its traceback; the peer sees no detail of it."""
        logger().error("fault", port=self._port, where=where, exc_info=error)
