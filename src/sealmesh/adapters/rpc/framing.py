"""How a call's message, answer and refusal stand in HTTP: what gRPC and Connect do each in its way."""

from dataclasses import dataclass
from typing import Final, Protocol

from sealmesh.adapters.http import Request, Response
from sealmesh.wire.status import Status

#: Some of gRPC's clients take 8 kB of trailers, and percent-encoding makes 12 bytes of one character. A
#: caller's own words may be part of it, as long as a message.
MAX_TEXT_CHARACTERS: Final = 512


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that was not answered: status, one sentence, and the error's details, serialized."""

    status: Status
    text: str
    detail: bytes | None = None


class FramingError(Exception):
    """The request does not carry one message that can be read."""

    def __init__(self, text: str, status: Status) -> None:
        super().__init__(text)
        self.status = status


class Framing(Protocol):
    """One protocol of unary calls."""

    def message_of(self, request: Request) -> bytes:
        """Return the message of a request whose body is whole.

        Raises:
            FramingError: There is not one.
        """
        ...

    def answer(self, message: bytes) -> Response:
        """Return the answer that carries `message`."""
        ...

    def refusal(self, refusal: Refusal) -> Response:
        """Return the answer without a message."""
        ...

    def status_of(self, response: Response) -> Status:
        """Return what a response of this protocol says."""
        ...
