"""`_socket.socket` as the program sees it: the C base of `socket.socket`, `ssl.SSLSocket` and gevent's.

Imported first and importing nothing that needs `socket`. Until an engine is set, and for what the engine
refuses, Internet sockets raise `PermissionError`. AF_UNIX and netlink sockets are untouched; families that
leave the machine in other ways (vsock, packet, Bluetooth) cannot be made.
"""

import _socket
import errno
import os
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from sealmesh.dataplane.original import INTERNET, SOCK_STREAM, RawSocket

if TYPE_CHECKING:
    from sealmesh.dataplane.link import Link

_UNGOVERNED: Final = frozenset(
    number
    for name in ("AF_UNIX", "AF_NETLINK", "AF_ALG")
    if (number := getattr(_socket, name, None)) is not None
)
#: Levels at which the program tunes its connection: these options belong to the wire.
_WIRE_LEVELS: Final = frozenset({_socket.IPPROTO_TCP, _socket.IPPROTO_IP, _socket.IPPROTO_IPV6})
_WIRE_OPTIONS: Final = frozenset({_socket.SO_KEEPALIVE, _socket.SO_LINGER, _socket.SO_REUSEADDR})


def denied(message: str) -> PermissionError:
    """Return what the program gets where no rule covers what it tries."""
    return PermissionError(errno.EACCES, message)


class Judgement(Protocol):
    """What the sockets ask the engine."""

    def find(self, sock: _socket.socket) -> "Link | None":
        """Return the link that `sock` is the program's end of."""

    def check_adopted(self, sock: _socket.socket) -> None:
        """Refuse a connected wire descriptor that did not come through the wrap."""

    def dial(self, sock: "GovernedSocket", address: Any) -> int | None:
        """Connect behind TLS and return the errno (0: connected); None: plaintext was allowed."""

    def check_bind(self, sock: _socket.socket, address: Any) -> None:
        """Refuse to bind a datagram socket."""

    def check_listen(self, sock: _socket.socket) -> None:
        """Refuse a listener that no rule covers."""

    def accept(self, listener: _socket.socket) -> tuple[int, Any]:
        """Accept one caller and return the program's descriptor and the caller's address."""

    def check_datagram(self, sock: _socket.socket, address: Any) -> None:
        """Refuse bytes to an address given with them."""


class _Unready:
    """Before the engine stands: nothing is allowed."""

    def find(self, sock: _socket.socket) -> None:
        return None

    def check_adopted(self, sock: _socket.socket) -> None:
        pass

    def dial(self, sock: _socket.socket, address: Any) -> int | None:
        self._refuse()

    def check_bind(self, sock: _socket.socket, address: Any) -> None:
        self._refuse()

    def check_listen(self, sock: _socket.socket) -> None:
        self._refuse()

    def accept(self, listener: _socket.socket) -> tuple[int, Any]:
        self._refuse()

    def check_datagram(self, sock: _socket.socket, address: Any) -> None:
        self._refuse()

    @staticmethod
    def _refuse() -> NoReturn:
        raise denied("sealmesh: the data plane has not started")


_judgement: Judgement = _Unready()


def govern(judgement: Judgement) -> None:
    """Let `judgement` decide from now on."""
    global _judgement
    _judgement = judgement


class GovernedSocket(RawSocket):
    """A socket whose Internet connections are links."""

    __slots__ = ("_link",)
    _link: "Link | None"

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: Any = None) -> None:
        self._link = None
        RawSocket.__init__(self, family, type, proto, fileno)
        if fileno is not None:
            self._link = link = _judgement.find(self)
            if link is not None and family == -1:
                RawSocket.__init__(self, link.family, SOCK_STREAM, 0, fileno)
        self._check_kind(adopted=fileno is not None)

    def _check_kind(self, *, adopted: bool) -> None:
        if self._link is not None or self.family in _UNGOVERNED:
            return
        reason = None
        if self.family not in INTERNET:
            reason = f"sealmesh: sockets of family {self.family} are not covered by any rule"
        elif self.type == _socket.SOCK_RAW or (self.type == SOCK_STREAM and self.proto not in (0, 6)):
            reason = "sealmesh: only TCP and UDP are possible over Internet sockets"
        try:
            if reason is not None:
                raise denied(reason)
            if adopted:
                _judgement.check_adopted(self)
        except PermissionError:
            if adopted:
                self.detach()  # the descriptor is the caller's
            else:
                RawSocket.close(self)
            raise

    @property
    def _internet(self) -> bool:
        return self.family in INTERNET

    # ---- connecting

    def connect(self, address: Any, /) -> None:
        if not self._internet:
            RawSocket.connect(self, address)
            return
        error = _judgement.dial(self, address)
        if error is None:
            RawSocket.connect(self, address)
        elif error not in (0, errno.EISCONN):
            raise OSError(error, os.strerror(error))

    def connect_ex(self, address: Any, /) -> int:
        if not self._internet:
            return RawSocket.connect_ex(self, address)
        try:
            error = _judgement.dial(self, address)
        except TimeoutError:
            return errno.EAGAIN  # what CPython's own connect_ex returns
        return RawSocket.connect_ex(self, address) if error is None else error

    # ---- accepting

    def bind(self, address: Any, /) -> None:
        if self._internet:
            _judgement.check_bind(self, address)
        RawSocket.bind(self, address)

    def listen(self, *backlog: Any) -> None:
        if self._internet:
            _judgement.check_listen(self)
        RawSocket.listen(self, *backlog)

    def _accept(self) -> tuple[int, Any]:
        if self._internet:
            return _judgement.accept(self)
        return RawSocket._accept(self)  # type: ignore[attr-defined, no-any-return]

    # ---- what an AF_UNIX descriptor would answer differently

    def getpeername(self) -> Any:
        link = self._link
        if link is None:
            return RawSocket.getpeername(self)
        if link.phase == "connecting" or (link.error and not link.server):
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return link.peer

    def getsockname(self) -> Any:
        link = self._link
        if link is None:
            return RawSocket.getsockname(self)
        return link.name if link.name is not None else link.unnamed

    def setsockopt(self, level: int, option: int, *value: Any) -> None:
        link = self._link
        if link is None:
            RawSocket.setsockopt(self, level, option, *value)
        elif level in _WIRE_LEVELS or (level == _socket.SOL_SOCKET and option in _WIRE_OPTIONS):
            link.set_wire_option(level, option, *value)
        else:
            RawSocket.setsockopt(self, level, option, *value)

    def getsockopt(self, level: int, option: int, *size: Any) -> Any:
        link = self._link
        if link is None:
            return RawSocket.getsockopt(self, level, option, *size)
        if level == _socket.SOL_SOCKET:
            match option:
                case _socket.SO_ERROR:
                    return link.take_error()
                case _socket.SO_DOMAIN:
                    return link.family
                case _socket.SO_PROTOCOL:
                    return _socket.IPPROTO_TCP
                case _ if option not in _WIRE_OPTIONS:
                    return RawSocket.getsockopt(self, level, option, *size)
        return link.get_wire_option(level, option, *size)

    # ---- datagrams, fast open

    def sendto(self, data: Any, *rest: Any) -> int:
        if self._internet:
            _judgement.check_datagram(self, rest[-1])
        return RawSocket.sendto(self, data, *rest)

    def sendmsg(self, buffers: Any, ancillary: Any = (), flags: int = 0, address: Any = None, /) -> int:
        if address is None:
            return RawSocket.sendmsg(self, buffers, ancillary, flags)
        if self._internet:
            _judgement.check_datagram(self, address)
        return RawSocket.sendmsg(self, buffers, ancillary, flags, address)

    # ---- an end that was no end

    def recv(self, *arguments: Any) -> bytes:
        received = RawSocket.recv(self, *arguments)
        if not received and self._link is not None:
            self._check_end(arguments[0] if arguments else 1)
        return received

    def recv_into(self, buffer: Any, *arguments: Any, **named: Any) -> int:
        count = RawSocket.recv_into(self, buffer, *arguments, **named)
        if not count and self._link is not None:
            self._check_end(len(buffer))
        return count

    def recvfrom(self, *arguments: Any) -> tuple[bytes, Any]:
        received, address = RawSocket.recvfrom(self, *arguments)
        if not received and self._link is not None:
            self._check_end(arguments[0] if arguments else 1)
        return received, address

    def _check_end(self, wanted: int) -> None:
        """A connection that was cut, or refused after the program had it, did not end: it broke."""
        link = self._link
        if wanted and link is not None and link.finished and link.error:
            raise ConnectionResetError(errno.ECONNRESET, f"sealmesh: {link.reason}")


def install() -> None:
    """Put the governed socket in the place of `_socket.socket`."""
    _socket.socket = GovernedSocket  # type: ignore[misc]
    _socket.SocketType = GovernedSocket
