"""What the interpreter offers before anything replaces it: gevent and we ourselves do.

Imported before `socket`, and therefore importing nothing that needs it.
"""

import _socket
import _thread
import os
import select
import time
from typing import Final

RawSocket = _socket.socket
AF_INET: Final = _socket.AF_INET
AF_INET6: Final = _socket.AF_INET6
AF_UNIX: Final = _socket.AF_UNIX
SOCK_STREAM: Final = _socket.SOCK_STREAM
INTERNET: Final = frozenset({AF_INET, AF_INET6})

start_thread: Final = _thread.start_new_thread
new_lock: Final = _thread.allocate_lock
new_epoll: Final = select.epoll
new_poll: Final = select.poll
monotonic: Final = time.monotonic
wall_clock: Final = time.time
immediate_exit: Final = os._exit


def stream_pair() -> tuple[_socket.socket, _socket.socket]:
    """Return two connected AF_UNIX stream sockets of the unreplaced type, not inheritable."""
    first, second = _socket.socketpair(AF_UNIX, SOCK_STREAM)
    return first, second
