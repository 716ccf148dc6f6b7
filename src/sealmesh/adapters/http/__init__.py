"""HTTP servers over TLS with caps on everything that a peer can make us keep.

One listener and two engines (HTTP/2 and HTTP/1.1, chosen by ALPN), used by the mesh port (gRPC is a POST with
trailers) and by the client port. A request is delivered whole, and answered whole.
"""

from sealmesh.adapters.http.calls import Calls
from sealmesh.adapters.http.exchange import Application, BodyState, Request, Response
from sealmesh.adapters.http.limits import Limits
from sealmesh.adapters.http.listener import Listener
from sealmesh.adapters.http.observer import Observer, Silence
from sealmesh.adapters.http.sockets import bind

__all__ = [
    "Application",
    "BodyState",
    "Calls",
    "Limits",
    "Listener",
    "Observer",
    "Request",
    "Response",
    "Silence",
    "bind",
]
