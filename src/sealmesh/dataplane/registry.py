"""Which descriptors of the program are ends of our socket pairs.

A link is found by its end's socket cookie, which the kernel never gives twice and which survives `dup`,
`detach` and `socket(fileno=...)`. Entries are weak: the pump holds a link while it moves bytes and every
Python socket on it holds it too; when the last is gone, so is the entry.
"""

import _socket
import os
import weakref
from typing import TYPE_CHECKING, Final

from sealmesh.dataplane.original import RawSocket

if TYPE_CHECKING:
    from sealmesh.dataplane.link import Link

_SO_COOKIE: Final = 57  # asm-generic/socket.h, Linux 4.12; not in Python's socket module

LinkKey = tuple[str, int, int]


def socket_key(sock: _socket.socket) -> LinkKey:
    """Return what names the socket object `sock`.

    Where the kernel has no cookies (some library OSes) the inode has to do; it may be used again, but not
    while an end is open.
    """
    try:
        cookie = RawSocket.getsockopt(sock, _socket.SOL_SOCKET, _SO_COOKIE, 8)
    except OSError:
        status = os.fstat(sock.fileno())
        return ("inode", status.st_dev, status.st_ino)
    return ("cookie", 0, int.from_bytes(cookie, "little"))


class Registry:
    """The links of this process by the socket the program holds."""

    def __init__(self) -> None:
        self._links: weakref.WeakValueDictionary[LinkKey, Link] = weakref.WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._links)

    def add(self, key: LinkKey, link: "Link") -> None:
        """Make `link` known under the program's end `key`."""
        self._links[key] = link

    def find(self, sock: _socket.socket) -> "Link | None":
        """Return the link that `sock` is the program's end of."""
        return self._links.get(socket_key(sock)) if self._links else None
