"""The agent's side of the line to the wraps inside the program and its children (`dataplane.channel`).

The socket lies in a directory of mode 0700; the kernel says which user connects, and only our own is
served. Every process of the program gets the credentials, now and whenever they are renewed.
"""

import contextlib
import os
import socket
import struct
import threading
import time
from typing import Final

from sealmesh.adapters.log import logger
from sealmesh.adapters.socket_directory import socket_directory
from sealmesh.dataplane.channel import MAX_LINE_BYTES, Message, decode_line, encode_line, peer_uid
from sealmesh.dataplane.configuration import Configuration
from sealmesh.errors import SealmeshError

#: A wrap that does not take its credentials in this time gets none.
SEND_SECONDS: Final = 5.0
#: Refusals that are logged in a second; a flood of strangers must not fill the log.
REFUSALS_PER_SECOND: Final = 10
_BACKLOG: Final = 128


class AgentServer:
    """Serves credentials to the processes of one program.

    Args:
        configuration: What a wrap gets when it says hello.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []
        self._refusals = _Rate(REFUSALS_PER_SECOND)
        self.ready = threading.Event()
        self._life = contextlib.ExitStack()
        self.path = str(self._life.enter_context(socket_directory()) / "agent")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listener.bind(self.path)
            self._listener.listen(_BACKLOG)
        except OSError:
            self.close()
            raise

    def start(self) -> None:
        """Begin to answer; callers have queued until now."""
        threading.Thread(target=self._accept, name="agent", daemon=True).start()

    def push(self, configuration: Configuration) -> None:
        """Give every wrap, present and future, what counts from now on."""
        with self._lock:
            self._configuration = configuration
            line = self._credentials()
            self._lines = [sock for sock in self._lines if _send(sock, line)]

    def cut(self, spiffe_ids: frozenset[str]) -> None:
        """Have every wrap end its connections to these Marbles."""
        with self._lock:
            line = encode_line({"type": "cut", "spiffe_ids": sorted(spiffe_ids)})
            self._lines = [sock for sock in self._lines if _send(sock, line)]

    def close(self) -> None:
        """End all lines and remove the socket."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._lines:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        self._life.close()

    def _credentials(self) -> bytes:
        return encode_line({"type": "credentials", "credentials": self._configuration.to_document()})

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            if peer_uid(sock) != os.geteuid():
                logger().warning("another user asked for credentials", uid=peer_uid(sock))
                return
            with contextlib.suppress(OSError, SealmeshError), sock.makefile("rb") as reader:
                while line := reader.readline(MAX_LINE_BYTES):
                    self._hear(sock, decode_line(line))
            with self._lock:
                self._lines = [other for other in self._lines if other is not sock]

    def _hear(self, sock: socket.socket, message: Message) -> None:
        match message.get("type"):
            case "hello":
                with self._lock:
                    if _send(sock, self._credentials()):
                        self._lines.append(sock)
            case "ready":
                self.ready.set()
                logger().info(
                    "the program's TLS has shown itself",
                    pid=message.get("pid"),
                    spiffe_id=message.get("spiffe_id"),
                    confined=bool(message.get("confined")),
                )
            case "confined":
                logger().info(
                    "a child that the data plane cannot be put into has no network",
                    program=message.get("program"),
                )
            case "refused" if self._refusals.one_more():
                known = ("side", "address", "port", "peer", "reason")
                logger().warning("connection refused", **{name: message.get(name) for name in known})


class _Rate:
    """Lets so many through in a second, and says how many were left out."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._second = 0
        self._count = 0

    def one_more(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            left_out = self._count - self._per_second
            if left_out > 0:
                logger().warning("connections refused, not logged one by one", count=left_out)
            self._second, self._count = second, 0
        self._count += 1
        return self._count <= self._per_second


def _send(sock: socket.socket, line: bytes) -> bool:
    """Send `line`, or end the line: a wrap that missed something must know that it is alone.

    The kernel's own time limit is used: Python's would also count for the thread that reads.
    """
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(SEND_SECONDS))
        sock.sendall(line)
    except OSError:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        return False
    return True


def _timeval(seconds: float) -> bytes:
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
