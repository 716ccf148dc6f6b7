"""A request as the applications get it, and their answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol


class BodyState(Enum):
    """Whether `Request.body` is all of it."""

    WHOLE = auto()
    TOO_LARGE = auto()
    """It passed `Limits.body_bytes`; `body` is empty."""
    OVERLOAD = auto()
    """All requests together passed `Limits.body_bytes_total`; `body` is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request.

    Attributes:
        path: Still percent-encoded, without the query.
        query: After the `?`, percent-encoded; empty if there is none.
        headers: Names in lower case.
        peer_chain: Shows the certificates of this connection, DER, leaf first, unchecked.
        has_trailers: Whether trailers of the answer would arrive: over HTTP/2.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    body_state: BodyState
    peer_address: str
    peer_chain: Callable[[], tuple[bytes, ...]]
    has_trailers: bool

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer. `trailers` are for HTTP/2 only."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    trailers: tuple[tuple[str, str], ...] = ()


class Application(Protocol):
    """Answers requests. Whatever it raises is a fault of ours; the connection answers 500 and goes on."""

    def __call__(self, request: Request, /) -> Awaitable[Response]: ...
