"""TLS on an asyncio connection: the same on asyncio's own loop and on uvloop.

asyncio's and uvloop's TLS are not used: they want an `ssl.SSLObject`, drop the alert of a failed handshake,
and each has its own way with half-closed connections. This is the whole of it: bytes from the transport go
through a `TlsSession` to the application, and back.

The life of a connection, each step of which the owner (`TlsOwner`) hears about:

    waiting -> handshake -> open -> (peer half-closed) -> closing -> closed
                  \\-> failed: the alert goes out, what still comes in is dropped, then closed
"""

import asyncio
from enum import Enum, auto
from typing import Protocol, cast

from OpenSSL import SSL

from sealmesh.adapters.tls.session import TlsFailure, TlsSession

#: More than this is not held back until everything that came in is worked off: the wire has to be able to
#: say that it takes no more.
_CORK_BYTES = 16_384


class TlsTransport(Protocol):
    """What an application may do with its connection."""

    peer_address: str
    protocol: bytes

    def peer_chain_der(self) -> tuple[bytes, ...]:
        """Return what the peer showed, leaf first, unchecked."""
        ...

    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class TlsApplication(Protocol):
    """What runs on an established connection."""

    def data_received(self, data: bytes) -> None: ...

    def eof_received(self) -> None:
        """The peer sends nothing more but may still read. The application closes when it is done."""
        ...

    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...

    def connection_lost(self) -> None:
        """Nothing can be sent or received any more."""
        ...


class TlsOwner(Protocol):
    """Who accepted the connection."""

    def accepted(self, connection: "TlsServerProtocol") -> None:
        """The connection is there. The owner calls `begin` when its handshake may begin."""
        ...

    def established(self, connection: "TlsServerProtocol") -> TlsApplication: ...

    def failed(self, connection: "TlsServerProtocol", reason: str) -> None:
        """The handshake failed, or the peer broke the protocol later."""
        ...

    def active(self, connection: "TlsServerProtocol") -> None:
        """The peer of an established connection sent something."""
        ...

    def lost(self, connection: "TlsServerProtocol") -> None: ...


class _State(Enum):
    WAITING = auto()
    HANDSHAKE = auto()
    OPEN = auto()
    CLOSING = auto()
    FAILED = auto()
    CLOSED = auto()


class TlsServerProtocol(asyncio.Protocol):
    """One accepted connection."""

    def __init__(self, owner: TlsOwner) -> None:
        self.peer_address = ""
        self.protocol = b""
        self._session: TlsSession | None = None
        self._early = b""
        self._owner = owner
        self._state = _State.WAITING
        self._application: TlsApplication | None = None
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._reading = True
        self._writable = True
        self._at_eof = False
        self._corked = False
        self._unsent = 0

    @property
    def is_open(self) -> bool:
        """Whether the handshake is done and nobody has closed."""
        return self._state is _State.OPEN

    @property
    def has_failed(self) -> bool:
        """Whether the handshake failed, or the peer broke the protocol later."""
        return self._state is _State.FAILED

    def peer_chain_der(self) -> tuple[bytes, ...]:
        """Return what the peer showed, leaf first, unchecked."""
        return self._session.peer_chain_der() if self._session is not None else ()

    def group(self) -> str | None:
        """Return the name of the key exchange group."""
        return self._session.group() if self._session is not None else None

    # -- from the wire ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.peer_address = str(peer[0]) if peer else ""
        self._owner.accepted(self)
        if self._state is _State.WAITING and not self._transport.is_closing():
            self._transport.pause_reading()
            self._paused = True

    def begin(self, context: SSL.Context) -> None:
        """Begin the handshake."""
        if self._state is not _State.WAITING or self._transport is None or self._transport.is_closing():
            return
        self._session = TlsSession(context)
        self._state = _State.HANDSHAKE
        if self._paused:
            self._transport.resume_reading()
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    def data_received(self, data: bytes) -> None:
        if self._session is None:
            if self._state is _State.WAITING:
                self._early += data  # read before the pause took effect
            return
        self._session.feed(data)
        self._corked = True  # what is said to all that came in goes out in one write
        try:
            if self._state is not _State.HANDSHAKE:
                self._owner.active(self)
            else:
                self._shake_hands()
            self._read_on()
        except TlsFailure as failure:
            self._fail(str(failure))
        finally:
            self._corked = False
            self._flush()

    def eof_received(self) -> bool:
        if self._state is not _State.OPEN:
            return False
        self._peer_is_done()
        return True  # keep our half open until the application closes

    def pause_writing(self) -> None:
        self._writable = False
        if self._application is not None:
            self._application.pause_writing()

    def resume_writing(self) -> None:
        # Not at once: asyncio's transport is in the middle of its work, and must not be closed there.
        self._writable = True
        asyncio.get_running_loop().call_soon(self._go_on_writing)

    def _go_on_writing(self) -> None:
        if self._application is not None and self._writable:
            self._application.resume_writing()

    def connection_lost(self, _error: Exception | None) -> None:
        if self._state is _State.CLOSED:
            return
        self._state = _State.CLOSED
        self._session = None
        application, self._application = self._application, None
        if application is not None:
            application.connection_lost()
        self._owner.lost(self)

    # -- from the application --------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send `data`; nothing happens once the connection is closing."""
        if self._state is not _State.OPEN or self._session is None:
            return
        try:
            self._session.write(data)
        except TlsFailure as failure:
            self._fail(str(failure))
        else:
            self._unsent += len(data)
            if not self._corked or self._unsent >= _CORK_BYTES:
                self._flush()

    def close(self) -> None:
        """Send what is left and the close alert, then hang up."""
        if self._state is _State.OPEN and self._session is not None:
            self._state = _State.CLOSING
            self._session.close_notify()
            self._flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hang up at once; what was not sent is lost."""
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        """Take no more bytes from the wire until `resume_reading`."""
        self._reading = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Deliver what came in meanwhile, and go on."""
        if self._reading or self._transport is None or self._transport.is_closing():
            return
        self._reading = True
        self._transport.resume_reading()
        try:
            self._read_on()
            self._flush()
        except TlsFailure as failure:
            self._fail(str(failure))

    # -- inside ----------------------------------------------------------------------------------

    def _shake_hands(self) -> None:
        assert self._session is not None
        if self._session.handshake():
            self._state = _State.OPEN
            self.protocol = self._session.protocol()
            self._application = self._owner.established(self)

    def _read_on(self) -> None:
        while self._reading and self._state is _State.OPEN and not self._at_eof:
            data = self._session.read() if self._session is not None else None
            if data is None:
                break
            if not data:
                self._peer_is_done()
            elif self._application is not None:
                self._application.data_received(data)

    def _peer_is_done(self) -> None:
        if not self._at_eof and self._application is not None:
            self._at_eof = True
            self._application.eof_received()

    def _flush(self) -> None:
        if self._session is None:
            return
        self._unsent = 0
        data = self._session.outgoing()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _fail(self, reason: str) -> None:
        self._flush()  # the alert
        self._state = _State.FAILED
        self._session = None  # what still comes in is dropped, and takes no memory
        self._owner.failed(self, reason)
        if self._transport is None or self._transport.is_closing():
            return
        # Closing with bytes unread would reset the connection, and the peer would lose the alert. So only our
        # half is closed; the peer hangs up on the alert, or the owner does when it has waited long enough.
        if self._transport.can_write_eof():
            self._transport.write_eof()
        if self._application is not None:
            self._transport.close()
