"""What happens at `connect`, `listen` and `accept`: rule, socket pair, link, pump.

Invariants: whatever fails, the program is never left with a connected wire descriptor; a process without
its agent opens no new links; a forked child has its own pump and its own line to the agent.
"""

import _socket
import errno
import os
from dataclasses import dataclass
from typing import Any, Final

from sealmesh.dataplane.address import Resolver
from sealmesh.dataplane.channel import Channel, Message
from sealmesh.dataplane.configuration import Configuration
from sealmesh.dataplane.contexts import Contexts, JudgingContext
from sealmesh.dataplane.link import Link
from sealmesh.dataplane.original import INTERNET, SOCK_STREAM, RawSocket, new_lock, stream_pair
from sealmesh.dataplane.pump import Pump
from sealmesh.dataplane.registry import Registry, socket_key
from sealmesh.dataplane.rules import Rules
from sealmesh.dataplane.sockets import GovernedSocket, denied
from sealmesh.errors import SealmeshError
from sealmesh.errors.dataplane import AgentUnreachableError

#: What the program has written when it ends is delivered, but not for longer than this.
FLUSH_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Current:
    """What counts for the next connection."""

    configuration: Configuration
    rules: Rules
    contexts: Contexts


class Engine:
    """The data plane of one process; a `sockets.Judgement`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._resolver = Resolver()
        self._lock = new_lock()
        self._registry = Registry()
        self._current: Current | None = None
        self.pump: Final = Pump(self._report)
        #: Ports on which an event loop of the program does TLS itself, with our context.
        self.native_ports: Final[set[int]] = set()

    # ---- configuration

    def current(self) -> Current:
        """Return what counts now, with everything the agent has pushed.

        Raises:
            PermissionError: The agent is gone, or what it sent cannot be read.
        """
        try:
            with self._lock:
                if not self._channel.connected:
                    self._heed(self._channel.connect())
                self._listen_to_agent()
            self._take_pushed()
        except SealmeshError as error:
            raise denied(f"sealmesh: {error}") from error
        if self._channel.lost or self._current is None:
            raise denied("sealmesh: the Marble's agent has ended; no new connections")
        return self._current

    def _take_pushed(self) -> None:
        for message in self._channel.poll():
            self._heed(message)

    def _heed(self, message: Message) -> None:
        match message.get("type"):
            case "credentials":
                self._adopt(Configuration.parse(message.get("credentials")))
            case "cut":
                wanted = frozenset(message.get("spiffe_ids", ()))
                self.pump.cut(lambda link: link.spiffe_id in wanted, "the peer was revoked")
            case kind:
                raise AgentUnreachableError("The agent said something this version does not know", found=kind)

    def _adopt(self, configuration: Configuration) -> None:
        known = self._current
        if known is not None and known.configuration.generation >= configuration.generation:
            return
        self._current = Current(configuration, Rules(configuration, self._resolver), Contexts(configuration))

    def _listen_to_agent(self) -> None:
        """Have the pump hear the agent at once; only while it runs, so not before the first link."""
        if not self.pump.idle and self._channel.connected:
            self.pump.listen_to(self._channel.fileno(), self._agent_spoke)

    def _agent_spoke(self) -> None:
        try:
            self._take_pushed()
        except SealmeshError as error:
            self._channel.send({"type": "refused", "reason": str(error)})
        if self._channel.lost:
            self.pump.stop_listening(self._channel.fileno())

    # ---- the judgement of sockets

    def find(self, sock: _socket.socket) -> Link | None:
        """Return the link that `sock` is the program's end of."""
        return self._registry.find(sock)

    def check_adopted(self, sock: _socket.socket) -> None:
        """Refuse a connected wire descriptor: it was inherited or made around the wrap."""
        if RawSocket.getsockopt(sock, _socket.SOL_SOCKET, _socket.SO_DOMAIN) not in INTERNET:
            return  # an end that another process passed on: its pump has the wire
        try:
            host = RawSocket.getpeername(sock)[0]
        except OSError:
            return
        if RawSocket.getsockname(sock)[1] in self.native_ports:
            return  # uvloop's own view of a connection on which it does TLS
        rules = self.current().rules
        if not rules.egress_is_open(host) and not rules.ingress_is_open(host):
            raise denied(f"sealmesh: a connected descriptor to {host} did not come through the data plane")

    def dial(self, sock: GovernedSocket, address: Any) -> int | None:
        """Connect `sock` behind TLS; None where the measured package lets plaintext pass."""
        link = sock._link
        if link is not None and not (link.finished and link.error):
            return errno.EALREADY if link.phase in ("connecting", "handshake") else errno.EISCONN
        host, port = _host_and_port(address)
        current = self.current()
        rule = current.rules.outgoing(host, port) if sock.type == SOCK_STREAM else None
        if rule is None:
            if link is None and current.rules.egress_is_open(_resolved(sock, address)[0]):
                return None
            raise denied(current.rules.why_not_outgoing(host, port))
        return self._dial(sock, _resolved(sock, address), current.contexts.outgoing())

    def check_bind(self, sock: _socket.socket, address: Any) -> None:
        """Let TCP bind (listening is judged); datagrams have no TLS, so no rule covers them."""
        host, _ = _host_and_port(address)
        if sock.type != SOCK_STREAM and not self.current().rules.ingress_is_open(host):
            raise denied("sealmesh: UDP cannot be protected, and no option of the package lets it pass")

    def check_listen(self, sock: _socket.socket) -> None:
        """Refuse a listener without a rule, and one that was never bound."""
        host, port = RawSocket.getsockname(sock)[:2]
        rules = self.current().rules
        if rules.incoming(port) is None and not rules.ingress_is_open(host):
            raise denied(rules.why_not_incoming(port))

    def accept(self, listener: _socket.socket) -> tuple[int, Any]:
        """Accept one caller. It is judged afterwards; until then nothing of it reaches the program."""
        host, port = RawSocket.getsockname(listener)[:2]  # before accept: close() may race
        descriptor, address = RawSocket._accept(listener)  # type: ignore[attr-defined]
        wire = RawSocket(fileno=descriptor)
        try:
            current = self.current()
            rule = current.rules.incoming(port)
            if rule is None:
                if current.rules.ingress_is_open(host):
                    return wire.detach(), address
                raise denied(current.rules.why_not_incoming(port))
            return self.serve(wire, current.contexts.incoming(rule), address, port), address
        except BaseException:
            wire.close()
            raise

    def check_datagram(self, sock: _socket.socket, address: Any) -> None:
        """Refuse bytes that name their receiver: fast open on streams, and UDP without an option."""
        host, port = _host_and_port(address)
        rules = self.current().rules
        if sock.type == SOCK_STREAM and rules.outgoing(host, port) is not None:
            raise denied("sealmesh: sendto on a stream (fast open) would go round TLS; connect first")
        if not rules.egress_is_open(host):
            raise denied(rules.why_not_outgoing(host, port))

    # ---- links

    def serve(self, wire: _socket.socket, context: JudgingContext, address: Any, port: int) -> int:
        """Put TLS before an accepted `wire` and return the program's descriptor."""
        app, inner = stream_pair()
        link = Link(
            wire=wire,
            inner=inner,
            context=context,
            server=True,
            family=wire.family,
            peer=address,
            name=wire.getsockname(),
            port=port,
        )
        self._start(link, app)
        return app.detach()

    def _dial(self, sock: GovernedSocket, address: Any, context: JudgingContext) -> int:
        timeout = sock.gettimeout()
        if sock._link is None:
            wire = RawSocket(fileno=os.dup(sock.fileno()))
        else:  # tried before and refused: the kernel allows another attempt on the same socket
            wire = RawSocket(sock.family, SOCK_STREAM)
        link = self.attach(sock, wire, context, address, hold=timeout == 0)
        error = wire.connect_ex(address)
        if error not in (0, errno.EINPROGRESS):
            link.fail(error, os.strerror(error))
        self._submit(link)
        if timeout == 0:
            return errno.EINPROGRESS
        if not link.wait_open(timeout):
            self.pump.cancel(link, errno.ETIMEDOUT, "the program's time for connecting is over")
            raise TimeoutError("timed out")
        if link.finished and link.error:
            return _failed(link, address)
        return 0

    def attach(
        self, sock: GovernedSocket, wire: _socket.socket, context: JudgingContext, address: Any, *, hold: bool
    ) -> Link:
        """Replace the descriptor of `sock` by the end of a link over `wire`, which need not be connected.

        From here on the program has no wire descriptor, whether or not connecting succeeds.
        """
        app, inner = stream_pair()
        blocking, inheritable = os.get_blocking(sock.fileno()), os.get_inheritable(sock.fileno())
        try:
            link = Link(
                wire=wire,
                inner=inner,
                context=context,
                server=False,
                family=sock.family,
                peer=address,
                name=None,
                port=address[1],
            )
            if hold:
                link.hold(app)
            os.set_blocking(app.fileno(), blocking)
            self._registry.add(socket_key(app), link)
            os.dup2(app.fileno(), sock.fileno(), inheritable)
            sock._link = link
        finally:
            app.close()
        return link

    def _start(self, link: Link, app: _socket.socket) -> None:
        self._registry.add(socket_key(app), link)
        self._submit(link)

    def _submit(self, link: Link) -> None:
        self.pump.submit(link)
        self._listen_to_agent()

    def _report(self, link: Link) -> None:
        """Tell the agent why a link was refused or broke; the reason names no secret."""
        if not link.port:
            return  # the proof, which wants to see refusals
        self._channel.send(
            {
                "type": "refused",
                "side": "incoming" if link.server else "outgoing",
                "address": f"{link.peer[0]}:{link.peer[1]}" if len(link.peer) > 1 else "",
                "port": link.port,
                "peer": link.spiffe_id,
                "reason": link.reason,
            }
        )

    def report_refusal(self, port: int, reason: str) -> None:
        """Tell the agent of a caller that an event loop's own TLS refused."""
        self._channel.send({"type": "refused", "side": "incoming", "port": port, "reason": reason})

    # ---- children

    def children_are_free(self) -> bool:
        """Say whether what cannot be wrapped may use the network: only where everything may pass."""
        return self.current().rules.everything_passes

    def report_child(self, executable: str) -> None:
        """Tell the agent about a child that gets no network."""
        self._channel.send({"type": "confined", "program": executable})

    # ---- the life of the process

    def tell(self, message: Message) -> None:
        """Send the agent a message."""
        self._channel.send(message)

    def finish(self) -> None:
        """The process ends: deliver what the program has written."""
        self.pump.flush(FLUSH_SECONDS)

    def forked(self) -> None:
        """In a forked child: leave links and line to the parent and start anew when needed."""
        self._lock = new_lock()
        self.pump.forget()
        self._channel.forget()


def _failed(link: Link, address: Any) -> int:
    """Return or raise what a blocking `connect` gives."""
    if link.error in (errno.EACCES, errno.ECONNABORTED):
        raise OSError(link.error, f"sealmesh: {address[0]}:{address[1]} was refused: {link.reason}")
    return link.error


def _host_and_port(address: Any) -> tuple[str, int]:
    if not isinstance(address, tuple) or len(address) < 2:
        raise TypeError("an Internet address must be a tuple of host and port")
    host, port = address[0], address[1]
    return host.decode() if isinstance(host, bytes | bytearray) else str(host), int(port)


def _resolved(sock: _socket.socket, address: Any) -> Any:
    """Return `address` with a number for its host, as the kernel wants it."""
    if sock.family not in INTERNET:
        return address
    answers = _socket.getaddrinfo(address[0] or None, address[1], sock.family, SOCK_STREAM)
    numeric = answers[0][4]
    return numeric if len(address) <= 2 else (numeric[0], *address[1:])
