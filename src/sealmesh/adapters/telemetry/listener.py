"""HTTP/1.1 without TLS, on the same engine and with the same kinds of caps as the two ports."""

import asyncio
import socket
from collections.abc import Sequence
from typing import cast

from sealmesh.adapters.http import Application, Limits, Observer
from sealmesh.adapters.http.http1 import Http1Connection
from sealmesh.adapters.http.serving import Serving
from sealmesh.adapters.http.slots import Slots

_SWEEP_SECONDS = 0.5


class PlainListener:
    """Serves one application on listening sockets until it is stopped."""

    def __init__(self, application: Application, *, limits: Limits, observer: Observer) -> None:
        self._application = application
        self._limits = limits
        self._observer = observer
        self._servers: list[asyncio.Server] = []
        self._open: Slots[PlainConnection] = Slots(total=limits.connections, per_peer=limits.connections)
        self._sweeper: asyncio.TimerHandle | None = None

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on bound sockets."""
        loop = self._loop = asyncio.get_running_loop()
        self._serving = Serving(self._application, self._limits, self._observer)
        for bound in sockets:
            server = await loop.create_server(
                lambda: PlainConnection(self), sock=bound, backlog=self._limits.backlog
            )
            self._servers.append(server)
        self._sweeper = loop.call_later(_SWEEP_SECONDS, self._sweep)

    async def stop(self, grace_seconds: float = 0.0) -> None:
        """Hang up at once: a scrape is asked again."""
        del grace_seconds
        for server in self._servers:
            server.close()
        for connection in self._open.oldest_first():
            connection.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()

    def accepted(self, connection: "PlainConnection") -> Http1Connection:
        """Give a new connection its engine; the one that has done nothing for longest makes room."""
        loser = self._open.add(connection, connection.peer_address)
        if loser is not None:
            self._observer.evicted(loser.peer_address, "room for a newer connection")
            loser.abort()
        return Http1Connection(connection, self._serving)

    def active(self, connection: "PlainConnection") -> None:
        """Note that the peer sent something."""
        self._open.touch(connection)

    def lost(self, connection: "PlainConnection") -> None:
        """Forget a connection."""
        self._open.discard(connection)

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in self._open.oldest_first():
            reason = connection.expired(now)
            if reason is not None:
                self._observer.evicted(connection.peer_address, reason)
                connection.abort()
        self._sweeper = self._loop.call_later(_SWEEP_SECONDS, self._sweep)


class PlainConnection(asyncio.Protocol):
    """One connection; the transport of its HTTP/1.1 engine."""

    protocol = b"http/1.1"

    def __init__(self, owner: PlainListener) -> None:
        self.peer_address = ""
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._http: Http1Connection | None = None
        self._writable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.peer_address = str(peer[0]) if peer else ""
        self._http = self._owner.accepted(self)

    def data_received(self, data: bytes) -> None:
        if self._http is not None and not self._closing:
            self._owner.active(self)
            self._http.data_received(data)

    def eof_received(self) -> bool:
        if self._http is not None:
            self._http.eof_received()
        return not self._closing

    def connection_lost(self, _error: Exception | None) -> None:
        http, self._http = self._http, None
        if http is not None:
            http.connection_lost()
        self._owner.lost(self)

    def pause_writing(self) -> None:
        self._writable = False
        if self._http is not None:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        # Not at once: asyncio's transport is in the middle of its work, and must not be closed there.
        self._writable = True
        asyncio.get_running_loop().call_soon(self._go_on_writing)

    def _go_on_writing(self) -> None:
        if self._http is not None and self._writable:
            self._http.resume_writing()

    def expired(self, now: float) -> str | None:
        """Return why this connection should go at `now`, None to keep it."""
        return None if self._http is None else self._http.expired(now)

    # -- TlsTransport ------------------------------------------------------------------------------

    def peer_chain_der(self) -> tuple[bytes, ...]:
        """Return nothing: there is no TLS here."""
        return ()

    def write(self, data: bytes) -> None:
        """Send `data`; nothing happens once the connection is closing."""
        if self._transport is not None and not self._closing:
            self._transport.write(data)

    def close(self) -> None:
        """Send what is left, then hang up."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hang up at once."""
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        """Take no more bytes from the wire until `resume_reading`."""
        if self._transport is not None and not self._closing:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on."""
        if self._transport is not None and not self._closing:
            self._transport.resume_reading()

    @property
    def _closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()
