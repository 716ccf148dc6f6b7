"""The proof that the wrap works, made before the program's first line: it calls itself.

A listener on a free loopback port and a connection to it go through the very code that will serve the
program (`Engine.serve`, `Engine.attach`, the pump); both ends must show the own SPIFFE ID and carry a word
across, and a caller that speaks no TLS must get nothing.
"""

import _socket
import os
from typing import Final

from sealmesh.dataplane.engine import Engine
from sealmesh.dataplane.original import AF_INET, SOCK_STREAM, RawSocket
from sealmesh.dataplane.sockets import GovernedSocket
from sealmesh.errors.dataplane import WrapStartError

PROOF_SECONDS: Final = 10.0
_PORT_OF_NO_RULE: Final = 0


def prove(engine: Engine) -> str:
    """Return the SPIFFE ID that the wrap saw on its connection to itself.

    Raises:
        WrapStartError: The connection failed, showed somebody else, or let plaintext through.
    """
    listener = RawSocket(AF_INET, SOCK_STREAM)
    try:
        listener.settimeout(PROOF_SECONDS)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        seen = _call_ourselves(engine, listener)
        _refuse_plaintext(engine, listener)
    except OSError as error:
        raise WrapStartError("The data plane could not connect to itself", found=str(error)) from error
    finally:
        listener.close()
        engine.pump.stop()
    return seen


def _call_ourselves(engine: Engine, listener: _socket.socket) -> str:
    contexts = engine.current().contexts
    word = os.urandom(16)
    caller = GovernedSocket(AF_INET, SOCK_STREAM)
    served = None
    try:
        caller.settimeout(PROOF_SECONDS)
        wire = RawSocket(fileno=os.dup(caller.fileno()))
        link = engine.attach(caller, wire, contexts.own(server=False), listener.getsockname(), hold=False)
        wire.connect_ex(listener.getsockname())
        engine.pump.submit(link)
        served = _serve(engine, listener)
        if not link.wait_open(PROOF_SECONDS) or link.finished or link.spiffe_id is None:
            raise WrapStartError("The data plane did not recognize itself", found=link.reason or "nothing")
        RawSocket.sendall(caller, word)
        if RawSocket.recv(served, len(word)) != word:
            raise WrapStartError("The data plane did not carry a word to itself")
        return link.spiffe_id
    finally:
        caller.close()
        if served is not None:
            served.close()


def _serve(engine: Engine, listener: _socket.socket) -> GovernedSocket:
    descriptor, address = listener._accept()  # type: ignore[attr-defined]
    wire = RawSocket(fileno=descriptor)
    own = engine.current().contexts.own(server=True)
    served = GovernedSocket(fileno=engine.serve(wire, own, address, _PORT_OF_NO_RULE))
    served.settimeout(PROOF_SECONDS)
    return served


def _refuse_plaintext(engine: Engine, listener: _socket.socket) -> None:
    probe = RawSocket(AF_INET, SOCK_STREAM)
    try:
        probe.settimeout(PROOF_SECONDS)
        probe.connect(listener.getsockname())
        served = _serve(engine, listener)
        probe.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with_plaintext = RawSocket.recv(served, 1)
        served.close()
    finally:
        probe.close()
    if with_plaintext:
        raise WrapStartError("The data plane let plaintext through")
