"""Takes window updates out of what a client sends, where no stream waits for them.

A client tells after each part of an answer that it may be sent more (RFC 9113, 6.9), for the connection and
for the stream: half of all frames of a short call, and the stream is over by then. To have the library look
at each of them costs an eighth of an admission's Python.

Only whole frames between whole frames are taken, and only what is valid beyond doubt. Everything else, all
errors among it, is left to the library, in its order.
"""

from collections.abc import Container
from typing import Final

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD_BYTES: Final = 9
_HEADERS, _SETTINGS, _WINDOW_UPDATE, _CONTINUATION = 0x1, 0x4, 0x8, 0x9
_END_HEADERS: Final = 0x4
_INCREMENT_BYTES: Final = 4
#: RFC 9113, 6.9.1.
_LARGEST_WINDOW: Final = 2**31 - 1


class WindowSieve:
    """For one connection, from its first byte on."""

    __slots__ = ("_at_start", "_lost")

    def __init__(self) -> None:
        self._at_start = True
        self._lost = False

    def sift(
        self, data: bytes, *, window: int, waiting: Container[int], last_stream: int
    ) -> tuple[bytes, int]:
        """Return what is left for the library, and by how much the connection's window has grown.

        Args:
            data: What came next.
            window: How much may be sent on the connection now.
            waiting: The streams that are not over.
            last_stream: The highest number that a stream has had; streams after it were not begun.
        """
        at = 0
        if self._at_start:
            self._at_start = False
            at = len(_PREFACE)
            self._lost = data[:at] != _PREFACE or data[at + 3 : at + 4] != bytes((_SETTINGS,))
        if self._lost:
            return data, 0
        begin, grown, size = 0, 0, len(data)
        left: list[bytes] = []
        while at + _HEAD_BYTES <= size:
            length, kind = int.from_bytes(data[at : at + 3], "big"), data[at + 3]
            end = at + _HEAD_BYTES + length
            if end > size:
                break
            if kind == _WINDOW_UPDATE and length == _INCREMENT_BYTES:
                stream = int.from_bytes(data[at + 5 : at + 9], "big")
                increment = int.from_bytes(data[at + 9 : end], "big")
                if stream == 0 and 0 < increment <= _LARGEST_WINDOW - window - grown:
                    grown += increment
                    left.append(data[begin:at])
                    begin = end
                elif _is_over(stream, waiting, last_stream) and 0 < increment <= _LARGEST_WINDOW:
                    left.append(data[begin:at])
                    begin = end
            elif kind in (_HEADERS, _CONTINUATION) and not data[at + 4] & _END_HEADERS:
                break  # nothing may stand inside a header block (RFC 9113, 6.10)
            at = end
        self._lost = at != size
        if not begin:
            return data, grown
        left.append(data[begin:])
        return b"".join(left), grown


def _is_over(stream: int, waiting: Container[int], last_stream: int) -> bool:
    """Return whether the client began this stream (its numbers are odd), and nobody waits for it any more."""
    return 0 < stream <= last_stream and stream % 2 == 1 and stream not in waiting
