"""Sockets that listen, and the connections that came in through them."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence

from sealmesh.adapters.http.exchange import Application
from sealmesh.adapters.http.http1 import Http1Connection
from sealmesh.adapters.http.http2 import Http2Connection
from sealmesh.adapters.http.limits import Limits
from sealmesh.adapters.http.observer import Observer, Silence
from sealmesh.adapters.http.serving import HttpConnection, Serving
from sealmesh.adapters.http.slots import Slots
from sealmesh.adapters.http.waiting_room import Verdict, WaitingRoom
from sealmesh.adapters.tls import ContextSource, TlsServerProtocol, TlsTransport

_SWEEP_SECONDS = 0.5
_TURN_SECONDS = 0.05
_MAPPED = bytes(10) + b"\xff\xff"  # IPv4 in IPv6 (RFC 4291, 2.5.5.2)
_ENGINES: dict[bytes, Callable[[TlsTransport, Serving], HttpConnection]] = {
    b"h2": Http2Connection,
    b"http/1.1": Http1Connection,
}


class Listener:
    """Serves one application on listening sockets until it is stopped.

    Args:
        contexts: The TLS context of each new connection.
        fallback: The protocol of peers that offer none by ALPN.
    """

    def __init__(
        self,
        application: Application,
        *,
        contexts: ContextSource,
        limits: Limits,
        fallback: bytes,
        observer: Observer | None = None,
    ) -> None:
        self._application = application
        self._contexts = contexts
        self._limits = limits
        self._fallback = fallback
        self._observer = observer or Silence()
        self._servers: list[asyncio.Server] = []
        self._room: WaitingRoom[TlsServerProtocol] = WaitingRoom(
            slots=limits.handshakes,
            slots_each=limits.handshakes_per_peer,
            chairs=limits.waiting,
            chairs_each=limits.waiting_per_peer,
            patience_seconds=limits.patience_seconds,
        )
        self._open: Slots[TlsServerProtocol] = Slots(
            total=limits.connections, per_peer=limits.connections - limits.connections // 8
        )
        self._connections: dict[TlsServerProtocol, HttpConnection] = {}
        self._alive: set[TlsServerProtocol] = set()
        self._stopping = False
        self._give_up_at: dict[TlsServerProtocol, float] = {}
        self._lingering: Slots[TlsServerProtocol] = Slots(total=limits.handshakes, per_peer=limits.handshakes)
        self._sweeper: asyncio.TimerHandle | None = None
        self._turn: asyncio.Handle | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Serve on bound sockets; they may listen already."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._serving = Serving(self._application, self._limits, self._observer)
        for bound in sockets:
            server = await loop.create_server(
                lambda: TlsServerProtocol(self), sock=bound, backlog=self._limits.backlog
            )
            self._servers.append(server)
        self._sweeper = loop.call_later(_SWEEP_SECONDS, self._sweep)

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Accept no more, let requests in the making finish for `grace_seconds`, hang up."""
        self._stopping = True
        for server in self._servers:
            server.close()
        for connection in list(self._connections.values()):
            connection.shut_down()
        for protocol in self._alive - set(self._connections):
            protocol.abort()
        try:
            await asyncio.wait_for(self._empty.wait(), grace_seconds)
        except TimeoutError:
            for protocol in list(self._alive):
                protocol.abort()
            await self._empty.wait()
        for handle in (self._sweeper, self._turn):
            if handle is not None:
                handle.cancel()

    @property
    def accepting(self) -> bool:
        """Whether new connections are accepted."""
        return bool(self._servers) and not self._stopping

    @property
    def handshakes(self) -> int:
        """How many handshakes are going on."""
        return self._room.handshakes

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    # -- TlsOwner ----------------------------------------------------------------------------------

    def established(self, connection: TlsServerProtocol) -> HttpConnection:
        """See `TlsOwner.established`."""
        self._leave_room(connection)
        self._give_up_at.pop(connection, None)
        self._make_room(self._open.add(connection, _household(connection.peer_address)))
        engine = _ENGINES[connection.protocol or self._fallback]
        http = self._connections[connection] = engine(connection, self._serving)
        return http

    def failed(self, connection: TlsServerProtocol, reason: str) -> None:
        """See `TlsOwner.failed`."""
        if connection not in self._connections:
            self._observer.handshake_failed(connection.peer_address, reason)
        self._give_up_at[connection] = self._loop.time() + self._limits.linger_seconds
        self._make_room(self._lingering.add(connection, ""))
        self._leave_room(connection)

    def active(self, connection: TlsServerProtocol) -> None:
        """See `TlsOwner.active`."""
        self._open.touch(connection)

    def lost(self, connection: TlsServerProtocol) -> None:
        """See `TlsOwner.lost`."""
        self._leave_room(connection)
        self._lingering.discard(connection)
        self._open.discard(connection)
        self._give_up_at.pop(connection, None)
        self._connections.pop(connection, None)
        self._alive.discard(connection)
        if not self._alive:
            self._empty.set()

    # -- inside ------------------------------------------------------------------------------------

    def accepted(self, connection: TlsServerProtocol) -> None:
        """See `TlsOwner.accepted`."""
        self._alive.add(connection)
        self._empty.clear()
        if self._stopping:
            connection.abort()
            return
        now = self._loop.time()
        self._give_up_at[connection] = now + self._limits.handshake_seconds
        match self._room.arrive(connection, _household(connection.peer_address), now):
            case Verdict.BEGIN:
                self._begin(connection)
            case Verdict.WAIT:
                self._take_turns()
            case Verdict.REFUSE:
                self._observer.evicted(connection.peer_address, "too many wait for their handshake")
                connection.abort()

    def _begin(self, connection: TlsServerProtocol) -> None:
        try:
            context = self._contexts.current()
        except Exception as error:
            self._observer.fault("tls", error)
            connection.abort()
        else:
            connection.begin(context)

    def _leave_room(self, connection: TlsServerProtocol) -> None:
        if connection in self._room:
            self._room.depart(connection)
            self._take_turns()

    def _take_turns(self) -> None:
        """Let those in who wait, soon: never from within the event that made room."""
        if self._turn is None and self._room.waiting:
            self._turn = self._loop.call_soon(self._let_in)

    def _let_in(self) -> None:
        turn = self._room.turn(self._loop.time())
        for loser in turn.leave:
            self._observer.evicted(loser.peer_address, "others wait for its handshake")
            loser.abort()
        for connection in turn.begin:
            self._begin(connection)
        self._turn = None
        if self._room.waiting:
            self._turn = self._loop.call_later(_TURN_SECONDS, self._let_in)

    def _make_room(self, loser: TlsServerProtocol | None) -> None:
        if loser is None:
            return
        self._observer.evicted(loser.peer_address, "room for a newer connection")
        connection = self._connections.get(loser)
        if connection is None:
            loser.abort()
        else:
            connection.shut_down()

    def _sweep(self) -> None:
        now = self._loop.time()
        for protocol in [p for p, deadline in self._give_up_at.items() if deadline < now]:
            del self._give_up_at[protocol]
            if not protocol.has_failed and protocol not in self._connections:
                self._observer.evicted(protocol.peer_address, "the handshake took too long")
            protocol.abort()
        for protocol, connection in list(self._connections.items()):
            reason = connection.expired(now)
            if reason is not None and protocol not in self._give_up_at:
                self._observer.evicted(protocol.peer_address, reason)
                connection.shut_down()
                self._give_up_at[protocol] = now + self._limits.linger_seconds
        self._sweeper = self._loop.call_later(_SWEEP_SECONDS, self._sweep)


def _household(address: str) -> str:
    """Return whose address it is, as far as that can be told: of IPv6 the first half, all of IPv4."""
    if ":" not in address:
        return address
    try:
        packed = ipaddress.IPv6Address(address.partition("%")[0]).packed
    except ValueError:
        return address
    return packed[:8].hex() if packed[:12] != _MAPPED else packed.hex()
