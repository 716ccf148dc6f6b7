"""gRPC's unary calls in HTTP/2 requests and answers (grpc.io, PROTOCOL-HTTP2)."""

from base64 import b64encode
from urllib.parse import quote

from sealmesh.adapters.http import Request, Response
from sealmesh.adapters.rpc.framing import MAX_TEXT_CHARACTERS, FramingError, Refusal
from sealmesh.adapters.rpc.limits import PREFIX_BYTES
from sealmesh.wire.methods import ERROR_DETAIL_KEY
from sealmesh.wire.status import Status

_SAFE = "".join(chr(code) for code in range(0x20, 0x7F) if code != 0x25)
_STATUSES = {str(status.value): status for status in Status}
_CONTENT_TYPE = ("content-type", "application/grpc+proto")


class Grpc:
    """See `Framing`."""

    def message_of(self, request: Request) -> bytes:
        """See `Framing.message_of`."""
        body = request.body
        if len(body) < PREFIX_BYTES:
            raise FramingError("the request has no message", Status.INTERNAL)
        if body[0]:
            status = Status.UNIMPLEMENTED if body[0] == 1 else Status.INTERNAL
            raise FramingError("compressed messages are not supported", status)
        if int.from_bytes(body[1:PREFIX_BYTES], "big") != len(body) - PREFIX_BYTES:
            raise FramingError("the message is not as long as it says", Status.INTERNAL)
        return body[PREFIX_BYTES:]

    def answer(self, message: bytes) -> Response:
        """See `Framing.answer`."""
        return Response(
            status=200,
            headers=(_CONTENT_TYPE,),
            body=b"\x00" + len(message).to_bytes(4, "big") + message,
            trailers=(("grpc-status", "0"),),
        )

    def refusal(self, refusal: Refusal) -> Response:
        """See `Framing.refusal`; the details are binary metadata."""
        text = refusal.text[:MAX_TEXT_CHARACTERS]
        headers = [
            _CONTENT_TYPE,
            ("grpc-status", str(refusal.status.value)),
            ("grpc-message", quote(text, safe=_SAFE, errors="replace")),
        ]
        if refusal.detail is not None:
            headers.append((ERROR_DETAIL_KEY, b64encode(refusal.detail).rstrip(b"=").decode("ascii")))
        return Response(status=200, headers=tuple(headers))

    def status_of(self, response: Response) -> Status:
        """See `Framing.status_of`."""
        for name, value in (*response.trailers, *response.headers):
            if name == "grpc-status":
                return _STATUSES.get(value, Status.UNKNOWN)
        return Status.UNKNOWN  # a plain HTTP answer: something failed on our side
