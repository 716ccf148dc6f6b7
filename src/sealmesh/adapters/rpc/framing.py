"""gRPC's unary calls in HTTP/2 requests and answers (grpc.io, PROTOCOL-HTTP2)."""

from base64 import b64encode
from enum import IntEnum
from urllib.parse import quote

from sealmesh.adapters.http import Request, Response
from sealmesh.adapters.rpc.limits import PREFIX_BYTES

_SAFE = "".join(chr(code) for code in range(0x20, 0x7F) if code != 0x25)
_CONTENT_TYPE = ("content-type", "application/grpc+proto")
_MAX_MESSAGE_CHARACTERS = 512  # some clients take 8 kB of trailers; percent-encoding makes 12 bytes of one


class Status(IntEnum):
    """gRPC's status codes that a server here answers."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class FramingError(Exception):
    """The body is not one uncompressed message."""


def message_of(request: Request) -> bytes:
    """Return the one message of a unary request.

    Raises:
        FramingError: The body is not one.
    """
    body = request.body
    if len(body) < PREFIX_BYTES:
        raise FramingError("the request has no message")
    if body[0]:
        raise FramingError("compressed messages are not supported")
    if int.from_bytes(body[1:PREFIX_BYTES], "big") != len(body) - PREFIX_BYTES:
        raise FramingError("the message is not as long as it says")
    return body[PREFIX_BYTES:]


def answer(message: bytes) -> Response:
    """Return the answer that carries `message`."""
    return Response(
        status=200,
        headers=(_CONTENT_TYPE,),
        body=b"\x00" + len(message).to_bytes(4, "big") + message,
        trailers=(("grpc-status", "0"),),
    )


def refusal(status: Status, text: str, detail: tuple[str, bytes] | None = None) -> Response:
    """Return an answer without a message: status, one sentence, and details as binary metadata."""
    headers = [
        _CONTENT_TYPE,
        ("grpc-status", str(status.value)),
        ("grpc-message", quote(text[:_MAX_MESSAGE_CHARACTERS], safe=_SAFE, errors="replace")),
    ]
    if detail is not None:
        headers.append((detail[0], b64encode(detail[1]).rstrip(b"=").decode("ascii")))
    return Response(status=200, headers=tuple(headers))


def status_of(response: Response) -> str:
    """Return the name of the gRPC status in `response`, or its HTTP status if it has none."""
    for name, value in (*response.trailers, *response.headers):
        if name == "grpc-status":
            return Status(int(value)).name
    return str(response.status)
