"""One connection: the program's end of a socket pair, TLS, the wire.

Moved by the pump thread alone; other threads read `phase`, `error`, `reason` and wait in `wait_open`.

    CONNECTING -> HANDSHAKE -> OPEN -> DRAINING -> CLOSED

Rules: nothing is read from the program before OPEN; a caller that is never admitted looks to the program
like one that connected and left (a clean end, no reset: simple servers die of resets); a wire cut without
close_notify is an error, not an end; DRAINING reads and drops what still comes, for a short while, so that
the kernel does not answer the peer with a reset that would destroy our last bytes or the alert.
"""

import _socket
import errno
import os
import select
import ssl
from typing import TYPE_CHECKING, Any, Final

from sealmesh.dataplane.contexts import PeerRefused, why_failed
from sealmesh.dataplane.link_face import LinkFace, Phase
from sealmesh.dataplane.original import INTERNET, new_poll

if TYPE_CHECKING:
    from sealmesh.dataplane.contexts import JudgingContext

_CHUNK: Final = 65536
#: Bytes held in each direction before the faster side has to wait.
_BUFFER: Final = 262144
_IN: Final = select.EPOLLIN
_OUT: Final = select.EPOLLOUT
_HUP: Final = select.EPOLLHUP
_BROKEN: Final = select.EPOLLHUP | select.EPOLLERR
_WANT: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Link(LinkFace):
    """See the module. `wire` and `inner` belong to it and are closed by it.

    Args:
        wire: A stream socket of the network, connected or connecting.
        inner: Our end of the pair.
    """

    __slots__ = (
        "_cut",
        "_fin_sent",
        "_gone",
        "_incoming",
        "_inner_end_given",
        "_inner_ended",
        "_outgoing",
        "_peer_done",
        "_to_app",
        "_to_wire",
        "_wire_ended",
        "flushing",
        "inner",
        "registered",
        "told",
    )

    def __init__(
        self,
        *,
        wire: _socket.socket,
        inner: _socket.socket,
        context: "JudgingContext",
        server: bool,
        family: int,
        peer: tuple[Any, ...],
        name: tuple[Any, ...] | None,
        port: int,
    ) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=server)
        super().__init__(wire=wire, tls=tls, server=server, family=family, peer=peer, name=name, port=port)
        self.inner = inner
        self.flushing = False
        self.told = False
        self.registered = [-1, -1]  # the descriptors that the pump has in its epoll: wire, inner
        self._to_app, self._to_wire = bytearray(), bytearray()
        self._wire_ended = self._peer_done = self._inner_end_given = False
        self._inner_ended = self._fin_sent = self._gone = self._cut = False
        wire.setblocking(False)
        inner.setblocking(False)
        if wire.family in INTERNET:
            # without it Nagle's algorithm and delayed acknowledgements cost 44 ms a request
            wire.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)

    # ---- for the pump

    def advance(self, wire_events: int, inner_events: int) -> None:
        """Do all that can be done now, without blocking."""
        try:
            if self.phase is Phase.DRAINING:
                self._drain(wire_events)
            elif self.phase is not Phase.CLOSED:
                self._advance(wire_events, inner_events)
        except PeerRefused as refusal:
            self._close_notify()
            self.fail(errno.EACCES, refusal.explanation)
        except ssl.SSLError as error:
            self.fail(errno.ECONNABORTED, why_failed(error))
        except OSError as error:
            self.fail(error.errno or errno.EIO, error.strerror or str(error))

    def masks(self) -> tuple[int | None, int | None]:
        """Return the events to wait for on wire and inner end; None: not to be listened to at all.

        EPOLLHUP cannot be masked, so an end with nothing more to say must be left out.
        """
        if self.phase is Phase.CONNECTING:
            return _OUT, None if self._gone else 0
        if self.phase is Phase.CLOSED:
            return None, None
        if self.phase is Phase.DRAINING:
            return _IN, None
        want_wire = not self._wire_ended and len(self._to_app) < _BUFFER
        wire = (_IN if want_wire else 0) | (_OUT if self._to_wire else 0)
        over = self._wire_ended and self._fin_sent
        if self._gone:
            return (None if over else wire), None
        want_inner = self.phase is Phase.OPEN and not self._inner_ended and len(self._to_wire) < _BUFFER
        return (None if over else wire), (_IN if want_inner else 0) | (_OUT if self._to_app else 0)

    def fail(self, error: int, reason: str) -> None:
        """End the link on our side: the peer gets the alert that is waiting, the program gets `error`."""
        if self.finished:
            return
        admitted = self.phase is Phase.OPEN
        self.error = 0 if self.server and not admitted else error
        self.reason = reason
        over = self.phase is Phase.CONNECTING or self._wire_ended
        self.phase = Phase.CLOSED if over else Phase.DRAINING  # first: the program wakes at the next line
        self._discard_inner()
        self._end_inner()
        self._send_last_words()
        self._release()

    def close(self) -> None:
        """End both sides. The descriptors stay until `dispose`, so that epoll can be told first."""
        if self.phase is not Phase.CLOSED:
            self.phase = Phase.CLOSED
            self._end_inner()
            self._release()

    def dispose(self) -> None:
        """Let go of the descriptors."""
        self.inner.close()
        self.wire.close()

    def abandon(self) -> None:
        """In a forked child: the parent moves this link; only our copies of its descriptors go."""
        self.orphaned = True
        self.dispose()

    def finish_now(self) -> None:
        """The process ends: take what the program has written, then say goodbye to the peer."""
        self.flushing = True
        if self.phase in (Phase.CONNECTING, Phase.HANDSHAKE):
            self.close()
            return
        self.advance(_IN, _IN)

    # ---- steps

    def _advance(self, wire_events: int, inner_events: int) -> None:
        if self.phase is Phase.CONNECTING:
            if inner_events & _HUP:
                self._program_left()
            if not self._connected():
                return
        if wire_events & _BROKEN:
            self._check_wire()
        if wire_events & (_IN | _BROKEN):
            self._receive()
        if inner_events & _HUP:
            self._program_left()
        if self.phase is Phase.HANDSHAKE and not self.finished:
            inner_events |= self._shake()
        if self.phase is Phase.OPEN:
            self._pass_on()
            if inner_events & (_IN | _HUP):
                self._collect()
        self._flush()
        self._inherit()
        self._end_if_done()

    def _connected(self) -> bool:
        error = self.wire.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        try:
            self.wire.getpeername()
        except OSError:
            return False
        self.name = self.wire.getsockname()
        self.phase = Phase.HANDSHAKE
        return True

    def _check_wire(self) -> None:
        error = self.wire.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if error or (self._wire_ended and not self._fin_sent):
            raise OSError(error or errno.ECONNRESET, os.strerror(error or errno.ECONNRESET))

    def _receive(self) -> None:
        if self._wire_ended or len(self._to_app) >= _BUFFER:
            return
        try:
            received = self.wire.recv(_CHUNK)
        except BlockingIOError:
            return
        if received:
            self._incoming.write(received)
        else:
            self._wire_ended = True
            self._incoming.write_eof()

    def _shake(self) -> int:
        """Go on with the handshake; return _IN where it has just ended, as the program may have written."""
        try:
            self._tls.do_handshake()
        except _WANT:
            return 0
        self.phase = Phase.OPEN
        while self._held:
            self._held -= len(self.inner.recv(min(self._held, _CHUNK)))
        self._release()
        return _IN

    def _pass_on(self) -> None:
        """Give the program all that it takes and we have.

        Where it takes a full buffer at once, what is still encrypted has to follow now: no event would come
        for bytes that have already left the wire.
        """
        full = True
        while full:
            self._decrypt(_BUFFER)
            full = len(self._to_app) >= _BUFFER
            self._deliver()
            full = full and len(self._to_app) < _BUFFER

    def _decrypt(self, limit: int) -> None:
        while not self._peer_done and len(self._to_app) < limit:
            if not (self._incoming.pending or self._tls.pending() or self._wire_ended):
                return
            try:
                received = self._tls.read(_CHUNK)
            except _WANT:
                return
            except ssl.SSLZeroReturnError:
                received = b""
            except ssl.SSLEOFError:
                self._cut = True
                received = b""
            self._to_app += received
            self._peer_done = not received

    def _deliver(self) -> None:
        if self._to_app:
            try:
                sent = self.inner.send(self._to_app)
                del self._to_app[:sent]
            except BlockingIOError:
                return
            except OSError:  # the program does not read any more
                self._to_app.clear()
        if self._peer_done and not self._to_app and not self._inner_end_given:
            self._inner_end_given = True
            if self._cut:
                raise OSError(errno.ECONNRESET, "the peer cut the connection without ending TLS")
            if not self._gone:
                self.inner.shutdown(_socket.SHUT_WR)

    def _inherit(self) -> None:
        """Send on what a program that has gone left behind: its end is not listened to any more (`masks`)."""
        while self._gone and self.phase is Phase.OPEN and not self._inner_ended and not self._to_wire:
            self._collect()
            self._flush()

    def _collect(self) -> None:
        while not self._inner_ended and (self.flushing or len(self._to_wire) < _BUFFER):
            try:
                written = self.inner.recv(_CHUNK)
            except BlockingIOError:
                if not self.flushing:
                    return
                written = b""
            except ConnectionResetError:  # closed with unread bytes
                written = b""
            if not written:
                self._inner_ended = True
                self._close_notify()
                return
            self._tls.write(written)
            self._to_wire += self._outgoing.read()
            if len(written) < _CHUNK and not self._gone and not self.flushing:
                return

    def _close_notify(self) -> None:
        """Tell the peer that no more will come. What it still sends has to be out of OpenSSL before."""
        try:
            self._decrypt(1 << 30)
            self._tls.unwrap()
        except (ssl.SSLError, OSError):
            pass  # it is out, and the peer's own close_notify may come later
        self._to_wire += self._outgoing.read()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._to_wire += self._outgoing.read()
        if self._to_wire:
            try:
                sent = self.wire.send(self._to_wire)
                del self._to_wire[:sent]
            except BlockingIOError:
                return
        if self._inner_ended and not self._to_wire and not self._fin_sent:
            self._fin_sent = True
            self.wire.shutdown(_socket.SHUT_WR)

    def _program_left(self) -> None:
        """All descriptors of the program are closed, or both directions are."""
        if self.phase is not Phase.OPEN and not (self.server and self._unread()):
            raise OSError(errno.ECANCELED, "the program closed the connection")
        self._gone = True

    def _unread(self) -> bool:
        poll = new_poll()
        poll.register(self.inner.fileno(), select.POLLIN)
        try:
            return bool(poll.poll(0)) and bool(self.inner.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT))
        except OSError:
            return False

    def _end_if_done(self) -> None:
        if self.phase is not Phase.OPEN or not self._fin_sent:
            return
        if self._peer_done and not self._to_app:
            self.close()
        elif self._gone or self.flushing:
            self.phase = Phase.DRAINING
            self._end_inner()

    def _drain(self, wire_events: int) -> None:
        try:
            if not wire_events & select.EPOLLERR and self.wire.recv(_CHUNK):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.close()

    def _discard_inner(self) -> None:
        """Unread bytes would turn the program's clean end into a reset."""
        if not self.server and not self._held:
            return
        try:
            while self.inner.recv(_CHUNK):
                pass
        except OSError:
            pass

    def _end_inner(self) -> None:
        try:
            self.inner.shutdown(_socket.SHUT_RDWR)  # reaches the program even while a child has a copy
        except OSError:
            pass

    def _send_last_words(self) -> None:
        try:
            self._flush()
            self.wire.shutdown(_socket.SHUT_WR)
        except OSError:
            pass
