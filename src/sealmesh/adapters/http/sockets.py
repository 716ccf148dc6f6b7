"""Bound sockets for servers, also for several processes on one port."""

import errno
import socket
import time
from contextlib import ExitStack
from typing import Final

from sealmesh.errors.configuration import ConfigurationError

_PAUSE_SECONDS: Final = 0.05


def bind(
    host: str, port: int, *, reuse_port: bool = False, patience_seconds: float = 0.0
) -> list[socket.socket]:
    """Return TCP sockets bound to `host` and `port`, not listening yet.

    Args:
        host: Empty for all addresses, IPv4 and IPv6 where the machine has it.
        port: 0 for a free one (the same for all addresses).
        reuse_port: Let other processes bind the same; the kernel spreads connections among them.
        patience_seconds: How long to wait for a port in use: by a predecessor that is about to end, or by a
            connection for which the kernel happened to choose it.

    Raises:
        ConfigurationError: The name does not resolve, or the address cannot be had.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigurationError("the address to listen on does not resolve", found=host) from error
    bound: list[socket.socket] = []
    deadline = time.monotonic() + patience_seconds
    with ExitStack() as undo:
        for family, _type, _protocol, _name, address in found:
            try:
                place = (address[0], port or _port(bound), *address[2:])
                one = _bind_before(deadline, family, place, reuse_port)
            except OSError as error:
                if not host and bound and family == socket.AF_INET6:
                    continue  # a machine without IPv6
                raise ConfigurationError(
                    "cannot listen",
                    found=f"{host}:{port}: {error.strerror}",
                    remedy="Choose another address.",
                ) from error
            undo.callback(one.close)
            bound.append(one)
        undo.pop_all()
    return bound


def _port(bound: list[socket.socket]) -> int:
    return int(bound[0].getsockname()[1]) if bound else 0


def _bind_before(
    deadline: float, family: int, address: tuple[object, ...], reuse_port: bool
) -> socket.socket:
    while True:
        try:
            return _bind_one(family, address, reuse_port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise
        time.sleep(_PAUSE_SECONDS)


def _bind_one(family: int, address: tuple[object, ...], reuse_port: bool) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
    except OSError:
        one.close()
        raise
    return one
