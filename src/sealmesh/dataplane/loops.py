"""Event loops that go to the C library themselves: uvloop.

libuv binds, accepts and connects without Python's sockets, so a uvloop server gets `ssl=` with our context,
and a uvloop client gets the program's end of a link that was connected in Python. The rest of the loop's
network (datagrams, foreign descriptors) is refused where no rule or option covers it.
"""

import importlib.abc
import importlib.machinery
import os
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Sequence
from types import ModuleType
from typing import Any, cast

from sealmesh.dataplane.children import Children
from sealmesh.dataplane.contexts import FollowingContext
from sealmesh.dataplane.engine import Engine
from sealmesh.dataplane.original import AF_UNIX, INTERNET, SOCK_STREAM
from sealmesh.dataplane.sockets import GovernedSocket, denied

_Loop = Any
_Method = Callable[..., Awaitable[Any]]


class ImportHook(importlib.abc.MetaPathFinder):
    """Changes a module as soon as the program has imported it."""

    def __init__(self, changes: dict[str, Callable[[ModuleType], None]]) -> None:
        self._changes = changes

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        change = self._changes.pop(name, None)
        if change is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("importlib.abc.Loader", _ChangingLoader(spec.loader, change))
        return spec


class _ChangingLoader:
    def __init__(self, loader: Any, change: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return cast("ModuleType | None", self._loader.create_module(spec))

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._change(module)


def watch_imports(engine: Engine, children: Children) -> None:
    """Govern uvloop when, and if, the program imports it."""

    def fork_only(module: ModuleType) -> None:
        module._USE_POSIX_SPAWN = False  # type: ignore[attr-defined] # it could not confine the child

    changes: dict[str, Callable[[ModuleType], None]] = {
        "uvloop": lambda module: govern_uvloop(engine, children, module.Loop),
        "subprocess": fork_only,
    }
    sys.meta_path.insert(0, ImportHook(changes))


def govern_uvloop(engine: Engine, children: Children, loop: _Loop) -> None:
    """Replace the methods of uvloop's `Loop` that make connections or start programs."""
    loop.subprocess_exec = _subprocess_exec(children, loop.subprocess_exec)
    loop.subprocess_shell = _subprocess_shell(children, loop.subprocess_shell)
    loop.create_server = _server(engine, loop.create_server)
    loop.create_connection = _connection(engine, loop.create_connection)
    loop.connect_accepted_socket = _accepted(loop.connect_accepted_socket)
    loop.create_datagram_endpoint = _datagram(engine, loop.create_datagram_endpoint)


def _server(engine: Engine, original: _Method) -> _Method:
    async def create_server(
        self: _Loop, protocol_factory: Any, host: Any = None, port: Any = None, **rest: Any
    ) -> Any:
        sock = rest.get("sock")
        if sock is not None and sock.family not in INTERNET:
            return await original(self, protocol_factory, host, port, **rest)
        where, number = (host or "", int(port or 0)) if sock is None else sock.getsockname()[:2]
        rules = engine.current().rules
        rule = rules.incoming(number)
        if rule is None:
            if not rules.ingress_is_open(where):
                raise denied(rules.why_not_incoming(number))
        else:
            if rest.get("ssl") is not None:
                raise denied(
                    f"sealmesh: port {number} has TLS from the mesh; the program must not add its own"
                )
            rest["ssl"] = _following(engine, number)
            engine.native_ports.add(number)
        return await original(self, protocol_factory, host, port, **rest)

    return create_server


def _following(engine: Engine, port: int) -> FollowingContext:
    """Return a context that is always the newest one for `port`."""
    context = FollowingContext(ssl.PROTOCOL_TLS_SERVER)

    def current() -> Any:
        now = engine.current()
        rule = now.rules.incoming(port)
        if rule is None:
            raise denied(now.rules.why_not_incoming(port))
        return now.contexts.incoming(rule)

    context.current = current
    context.report = lambda reason: engine.report_refusal(port, reason)
    return context


def _connection(engine: Engine, original: _Method) -> _Method:
    async def create_connection(
        self: _Loop, protocol_factory: Any, host: Any = None, port: Any = None, **rest: Any
    ) -> Any:
        sock = rest.get("sock")
        tls = rest.get("ssl")
        if sock is None and host is not None:
            name = rest.pop("server_hostname", None) or (host if tls else None)
            sock = await _connect(self, str(host), int(port), rest.pop("local_addr", None))
            if tls and name is not None:
                rest["server_hostname"] = name
            for unused in ("family", "proto", "flags", "happy_eyeballs_delay", "interleave", "all_errors"):
                rest.pop(unused, None)
        if sock is not None:
            rest["sock"] = _as_unix(sock)
        return await original(self, protocol_factory, **rest)

    return create_connection


async def _connect(loop: _Loop, host: str, port: int, local: Any) -> Any:
    """Connect in Python, one address after the other."""
    failure: OSError | None = None
    for family, _, _, _, address in await loop.getaddrinfo(host, port, type=SOCK_STREAM):
        sock = socket.socket(family, SOCK_STREAM)
        try:
            sock.setblocking(False)
            if local is not None:
                sock.bind(local)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = failure or error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure or OSError(f"sealmesh: {host} has no address")


def _accepted(original: _Method) -> _Method:
    async def connect_accepted_socket(self: _Loop, protocol_factory: Any, sock: Any, **rest: Any) -> Any:
        return await original(self, protocol_factory, _as_unix(sock), **rest)

    return connect_accepted_socket


def _datagram(engine: Engine, original: _Method) -> _Method:
    async def create_datagram_endpoint(self: _Loop, *arguments: Any, **named: Any) -> Any:
        if named.get("family") != AF_UNIX and named.get("sock") is None:
            rules = engine.current().rules
            if not rules.egress_is_open("0.0.0.0") or not rules.ingress_is_open("0.0.0.0"):  # noqa: S104
                raise denied("sealmesh: UDP cannot be protected, and no option allows it in plaintext")
        return await original(self, *arguments, **named)

    return create_datagram_endpoint


def _subprocess_exec(children: Children, original: _Method) -> _Method:
    async def subprocess_exec(self: _Loop, factory: Any, program: Any, *words: Any, **rest: Any) -> Any:
        named = rest.get("executable") or program
        options = children.spawn_options(named, (program, *words), rest)
        return await original(self, factory, program, *words, **options)

    return subprocess_exec


def _subprocess_shell(children: Children, original: _Method) -> _Method:
    async def subprocess_shell(self: _Loop, factory: Any, command: Any, **rest: Any) -> Any:
        options = children.spawn_options("/bin/sh", ("sh", "-c", command), rest)
        return await original(self, factory, command, **options)

    return subprocess_shell


def _as_unix(sock: Any) -> Any:
    """Give libuv a socket of the family its descriptor really has, where it is a link's end.

    It has to be another descriptor: libuv may not yet have forgotten that it polled the first one.
    """
    if not isinstance(sock, GovernedSocket) or sock._link is None or sock.family == AF_UNIX:
        return sock
    other = socket.socket(AF_UNIX, SOCK_STREAM, 0, fileno=os.dup(sock.fileno()))
    sock.close()
    return other
