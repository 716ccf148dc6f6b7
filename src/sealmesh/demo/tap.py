"""A byte tap: a TCP forwarder that writes down all that passes, as whoever owns the wire could."""

import socket
import threading
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65536
CONNECT_SECONDS = 5.0
#: First byte of TLS records: change_cipher_spec, alert, handshake, application_data (RFC 8446, 5.1).
TLS_RECORD_TYPES = frozenset({20, 21, 22, 23})


class Tap:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`target` and keeps every byte of both directions."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._streams: list[bytearray] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop accepting; connections end with their programs."""
        self._listener.close()

    def streams(self) -> list[bytes]:
        """Return what was seen, one entry per connection and direction that carried anything."""
        with self._lock:
            return [bytes(stream) for stream in self._streams if stream]

    def seen(self) -> bytes:
        """Return all bytes that passed."""
        return b"".join(self.streams())

    def forget(self) -> None:
        """Start a new capture; open connections write on into it."""
        with self._lock:
            for stream in self._streams:
                stream.clear()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(caller,), daemon=True).start()

    def _forward(self, caller: socket.socket) -> None:
        try:
            callee = socket.create_connection(("127.0.0.1", self.target), CONNECT_SECONDS)
        except OSError:
            caller.close()
            return
        callee.settimeout(None)
        backward = threading.Thread(target=self._copy, args=(callee, caller), daemon=True)
        backward.start()
        self._copy(caller, callee)
        backward.join()
        caller.close()
        callee.close()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        stream = bytearray()
        with self._lock:
            self._streams.append(stream)
        try:
            while data := source.recv(CHUNK_BYTES):
                with self._lock:
                    stream += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, sink):
                end.close()


def only_tls(stream: bytes) -> bool:
    """Tell whether `stream` is a sequence of TLS records from its first byte to its last whole one."""
    position = 0
    while position + 5 <= len(stream):
        if stream[position] not in TLS_RECORD_TYPES or stream[position + 1] != 3:
            return False
        position += 5 + int.from_bytes(stream[position + 3 : position + 5], "big")
    return position > 0
