"""What the program's threads see of a link: its answers to questions about the connection."""

import _socket
import errno
import ssl
from enum import StrEnum
from typing import Any

from sealmesh.dataplane.contexts import JudgingObject
from sealmesh.dataplane.original import new_lock


class Phase(StrEnum):
    """Where a link stands."""

    CONNECTING = "connecting"
    HANDSHAKE = "handshake"
    OPEN = "open"
    DRAINING = "draining"
    CLOSED = "closed"


class LinkFace:
    """The part of a link that other threads than the pump may use.

    Attributes:
        family: The address family the program believes in.
        peer: What the program gets from `getpeername`.
        name: What the program gets from `getsockname`; None while connecting.
        port: The listener's port, or the one that was dialled.
        error: The errno the program gets; 0 for a caller that never got in.
        reason: Why the link was refused or broke, for the agent's log.
        orphaned: This process is a fork and another one moves the link.
    """

    __slots__ = (
        "__weakref__",
        "_alarm",
        "_error_taken",
        "_held",
        "_released",
        "_tls",
        "error",
        "family",
        "name",
        "orphaned",
        "peer",
        "phase",
        "port",
        "reason",
        "server",
        "wire",
    )

    def __init__(
        self,
        *,
        wire: _socket.socket,
        tls: ssl.SSLObject,
        server: bool,
        family: int,
        peer: tuple[Any, ...],
        name: tuple[Any, ...] | None,
        port: int,
    ) -> None:
        self.wire, self._tls, self.server = wire, tls, server
        self.family, self.peer, self.name, self.port = family, peer, name, port
        self.phase = Phase.HANDSHAKE if server else Phase.CONNECTING
        self.error = 0
        self.reason: str | None = None
        self.orphaned = False
        self._held = 0
        self._released = self._error_taken = False
        self._alarm = new_lock()
        self._alarm.acquire()

    @property
    def spiffe_id(self) -> str | None:
        """The peer's identity, once it has passed; for revocation."""
        peer = self._tls.peer if isinstance(self._tls, JudgingObject) else None
        return peer.spiffe_id if peer is not None else None

    @property
    def finished(self) -> bool:
        """Whether the pump has nothing left to do for the program."""
        return self.phase in (Phase.DRAINING, Phase.CLOSED)

    @property
    def unnamed(self) -> tuple[Any, ...]:
        """What `getsockname` answers while there is no name yet."""
        return ("0.0.0.0", 0) if self.family == _socket.AF_INET else ("::", 0, 0, 0)  # noqa: S104 - an answer

    def take_error(self) -> int:
        """Answer SO_ERROR: why connecting failed, once; afterwards 0."""
        error = self.error if self.finished else 0
        if error and not self._error_taken:
            self._error_taken = True
            return error
        return 0

    def set_wire_option(self, level: int, option: int, *value: Any) -> None:
        """Set an option on the wire. Nagle's algorithm stays off whatever the program says."""
        if self.orphaned or self.finished or (level, option) == (_socket.IPPROTO_TCP, _socket.TCP_NODELAY):
            return
        self.wire.setsockopt(level, option, *value)

    def get_wire_option(self, level: int, option: int, *size: Any) -> Any:
        """Read an option of the wire; of a connection that is over, zero."""
        try:
            return self.wire.getsockopt(level, option, *size)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            return bytes(size[0]) if size else 0

    def hold(self, app: _socket.socket) -> None:
        """Fill the program's end so that it is not writable before the peer has passed.

        A socket pair is writable at once; event loops would take a dead address for a connected one. What
        is put in is taken out again before the first byte of the program.
        """
        app.setblocking(False)
        filler = bytes(32768)
        try:
            while True:
                self._held += app.send(filler)
        except BlockingIOError:
            pass

    def wait_open(self, timeout: float | None) -> bool:
        """Block until the link is open or has failed; False where `timeout` seconds were not enough."""
        if not self._alarm.acquire(timeout=-1 if timeout is None else timeout):
            return False
        self._alarm.release()
        return True

    def _release(self) -> None:
        if not self._released:
            self._released = True
            self._alarm.release()
