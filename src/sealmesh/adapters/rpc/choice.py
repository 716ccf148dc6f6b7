"""Which protocol a request speaks."""

from typing import Final

from sealmesh.adapters.http import Request, Response
from sealmesh.adapters.rpc.connect import Connect
from sealmesh.adapters.rpc.framing import Framing
from sealmesh.adapters.rpc.grpc import Grpc
from sealmesh.wire.connect import MESSAGE_TYPE

_GRPC: Final = Grpc()
_CONNECT: Final = Connect()
_ACCEPTED: Final = ("accept-post", f"application/grpc, application/grpc+proto, {MESSAGE_TYPE}")


def framing_of(request: Request) -> Framing | Response:
    """Return the protocol, or the HTTP answer to what speaks none of ours."""
    if request.method != "POST":
        return Response(status=405, headers=(("allow", "POST"),))
    content_type = request.header("content-type") or ""
    if content_type == MESSAGE_TYPE:
        return _CONNECT
    if not content_type.startswith("application/grpc"):
        return Response(status=415, headers=(_ACCEPTED,))
    if not request.has_trailers:
        return Response(status=505)  # gRPC's status is a trailer, and nothing would be heard of it
    return _GRPC
