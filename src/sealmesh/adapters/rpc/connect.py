"""Connect's unary calls, over HTTP/1.1 as well as HTTP/2; messages in protobuf only (`wire.connect`)."""

from sealmesh.adapters.http import Request, Response
from sealmesh.adapters.rpc.framing import MAX_TEXT_CHARACTERS, FramingError, Refusal
from sealmesh.wire.connect import (
    MESSAGE_TYPE,
    REFUSAL_TYPE,
    VERSION,
    VERSION_HEADER,
    encode_refusal,
    http_status,
    parse_refusal,
)
from sealmesh.wire.status import Status


class Connect:
    """See `Framing`."""

    def message_of(self, request: Request) -> bytes:
        """See `Framing.message_of`."""
        if request.header(VERSION_HEADER) not in (None, VERSION):
            raise FramingError(f"another version of Connect than {VERSION}", Status.INVALID_ARGUMENT)
        if request.header("content-encoding") not in (None, "identity"):
            raise FramingError("compressed messages are not supported", Status.UNIMPLEMENTED)
        return request.body

    def answer(self, message: bytes) -> Response:
        """See `Framing.answer`."""
        return Response(status=200, headers=(("content-type", MESSAGE_TYPE),), body=message)

    def refusal(self, refusal: Refusal) -> Response:
        """See `Framing.refusal`."""
        return Response(
            status=http_status(refusal.status),
            headers=(("content-type", REFUSAL_TYPE),),
            body=encode_refusal(refusal.status, refusal.text[:MAX_TEXT_CHARACTERS], refusal.detail),
        )

    def status_of(self, response: Response) -> Status:
        """See `Framing.status_of`."""
        if response.status == 200:
            return Status.OK
        try:
            return parse_refusal(response.body).status
        except ValueError:
            return Status.UNKNOWN
