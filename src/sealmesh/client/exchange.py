"""Conversations with a Coordinator, without any input or output.

Each act of the client API is a generator: it yields a `Request`, is sent the `Answer`, and returns a typed
result or raises a typed error. `sealmesh.client.api` drives them over httpx, waiting or not; tests drive
them by hand.
"""

import base64
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

#: MarbleRun's second API, and sealmesh's own.
V2 = "/api/v2"
OWN = "/api/sealmesh/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. `query` keeps its order and may name a key several times."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer.

    Attributes:
        detail: Of a refusal, what a sealmesh Coordinator says beside MarbleRun's envelope (JSON).
    """

    status: int
    content: bytes
    detail: str = ""


T = TypeVar("T")
Exchange: TypeAlias = Generator[Request, Answer, T]


def get(path: str, *query: tuple[str, str]) -> Request:
    """Return a request that changes nothing."""
    return Request(method="GET", path=path, query=query)


def post(path: str, members: Mapping[str, Any] | None = None) -> Request:
    """Return a request whose body is a JSON object, or empty."""
    body = None if members is None else json.dumps(members).encode()
    return Request(method="POST", path=path, body=body)


def b64(data: bytes) -> str:
    """Return base64 as JSON fields have it: standard alphabet, padded."""
    return base64.b64encode(data).decode("ascii")


def nonce_query(nonce: bytes) -> tuple[str, str]:
    """Return the query that carries a nonce: base64 in the URL's alphabet, padded."""
    return "nonce", base64.urlsafe_b64encode(nonce).decode("ascii")
