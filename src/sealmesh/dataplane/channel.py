"""The wrap's side of the line to the Marble's agent.

One JSON object a line over a UNIX stream socket in a directory of mode 0700. The agent answers `hello` with
`credentials`, pushes new ones when they are renewed and `cut` when a peer is revoked; the wrap reports
`ready` and `refused`. The kernel says whose process the other end is: another user is not the agent.
"""

import _socket
import json
import os
import struct
import sys
from typing import Any, Final

from sealmesh.dataplane.configuration import PROTOCOL_VERSION
from sealmesh.dataplane.original import AF_UNIX, SOCK_STREAM, RawSocket, new_lock
from sealmesh.errors.dataplane import AgentUnreachableError

#: Chains, keys, a policy of a large mesh: far below this.
MAX_LINE_BYTES: Final = 4 << 20
CONNECT_SECONDS: Final = 10.0

Message = dict[str, Any]


def peer_uid(sock: _socket.socket) -> int:
    """Return the user behind the other end of a UNIX socket, as the kernel recorded it."""
    credentials = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return int(struct.unpack("iII", credentials)[1])


def encode_line(message: Message) -> bytes:
    """Return `message` as it goes over the line."""
    return json.dumps({"version": PROTOCOL_VERSION, **message}, separators=(",", ":")).encode() + b"\n"


def decode_line(line: bytes) -> Message:
    """Read one message.

    Raises:
        AgentUnreachableError: Not JSON, or of another version.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AgentUnreachableError("The line between wrap and agent carries something else") from error
    if not isinstance(message, dict) or message.get("version") != PROTOCOL_VERSION:
        raise AgentUnreachableError(
            "Wrap and agent speak different versions",
            found=message.get("version") if isinstance(message, dict) else type(message).__name__,
            wanted=PROTOCOL_VERSION,
        )
    return message


class Channel:
    """A connection to the agent, made anew in every process that was forked."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._sock: _socket.socket | None = None
        self._received = bytearray()
        self._lock = new_lock()
        self.lost = False

    @property
    def connected(self) -> bool:
        """Whether this process has its own line."""
        return self._sock is not None

    def fileno(self) -> int:
        """Return the descriptor to wait on; -1 without a line."""
        return self._sock.fileno() if self._sock is not None else -1

    def connect(self) -> Message:
        """Say hello and return the agent's answer.

        Raises:
            AgentUnreachableError: Nobody answers, or not the agent.
        """
        sock = RawSocket(AF_UNIX, SOCK_STREAM)
        try:
            sock.settimeout(CONNECT_SECONDS)
            sock.connect(self._path)
            if peer_uid(sock) != os.geteuid():
                raise AgentUnreachableError(
                    "The agent's socket belongs to another user", found=peer_uid(sock), wanted=os.geteuid()
                )
            program = sys.argv[:1] if hasattr(sys, "argv") else []
            sock.sendall(encode_line({"type": "hello", "pid": os.getpid(), "program": program}))
            while b"\n" not in self._received:
                received = sock.recv(65536)
                if not received:
                    raise AgentUnreachableError("The Marble's agent gave no credentials")
                self._keep(received)
        except OSError as error:
            sock.close()
            raise AgentUnreachableError("The Marble's agent does not answer", found=error.strerror) from error
        except AgentUnreachableError:
            sock.close()
            raise
        sock.setblocking(False)
        self._sock, self.lost = sock, False
        return self._next_line()

    def poll(self) -> list[Message]:
        """Return what the agent has pushed since the last call, without waiting.

        Raises:
            AgentUnreachableError: What it sent is no message.
        """
        with self._lock:
            sock = self._sock
            if sock is None or self.lost:
                return []
            while not self.lost:
                try:
                    received = sock.recv(65536)
                except BlockingIOError:
                    break
                except OSError:
                    received = b""
                self.lost = not received
                self._keep(received)
            messages = []
            while b"\n" in self._received:
                messages.append(self._next_line())
            return messages

    def send(self, message: Message) -> None:
        """Tell the agent, if it listens: a report is not worth a wait."""
        if self._sock is not None and not self.lost:
            try:
                self._sock.send(encode_line(message), _socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL)
            except OSError:
                pass

    def forget(self) -> None:
        """In a forked child: this line is the parent's."""
        if self._sock is not None:
            self._sock.close()
        self._sock = None
        self._received.clear()
        self._lock = new_lock()

    def _keep(self, received: bytes) -> None:
        self._received += received
        if len(self._received) > MAX_LINE_BYTES:
            raise AgentUnreachableError("A message is too long", wanted=f"at most {MAX_LINE_BYTES} bytes")

    def _next_line(self) -> Message:
        end = self._received.index(b"\n")
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return decode_line(line)
