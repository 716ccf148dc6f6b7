"""The two thin drivers of exchanges: one waits, one awaits. All knowledge is in the exchanges."""

from types import TracebackType
from typing import Self

import httpx

from sealmesh.client.address import Address
from sealmesh.client.exchange import Answer, Exchange, Request, T
from sealmesh.client.tls import PeerCheckedContext
from sealmesh.client.user import Nobody, User
from sealmesh.errors.client import AnswerError, ConnectionFailed
from sealmesh.wire.refusals import DETAIL_HEADER

#: A Coordinator answers in milliseconds; a quote on real hardware may take seconds.
TIMEOUT_SECONDS = 30.0
#: Statements are the largest answers; no honest one comes near.
MAX_ANSWER_BYTES = 64 * 1024 * 1024


class Connection:
    """A connection to a Coordinator. Who answers is decided by the TLS context alone.

    Args:
        address: The client API.
        context: Checks the server in the handshake; it is this connection's from now on.
        user: Who acts; nobody by default.
    """

    def __init__(self, address: Address, context: PeerCheckedContext, user: User | None = None) -> None:
        self._address = address
        self._http = httpx.Client(
            transport=(user or Nobody()).transport(context), base_url=address.url, trust_env=False,
            timeout=TIMEOUT_SECONDS, follow_redirects=False,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def ask(self, exchange: Exchange[T]) -> T:
        """Hold the conversation; return its result.

        Raises:
            ConnectionFailed: Nobody answered, or the connection broke.
            PeerError: Somebody else answered; nothing was sent.
            SealmeshError: What the exchange raises.
        """
        request = next(exchange)
        while True:
            answer = self._answer(request)
            try:
                request = exchange.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result

    def _answer(self, request: Request) -> Answer:
        try:
            with self._http.stream(
                request.method, request.path, params=request.query, content=request.body
            ) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    _append(content, chunk)
        except httpx.TransportError as error:
            raise _failed(self._address, error) from error
        return _answer(response, content)


class AsyncConnection:
    """The same for asyncio (or trio): `async with`, `await`."""

    def __init__(self, address: Address, context: PeerCheckedContext, user: User | None = None) -> None:
        self._address = address
        self._http = httpx.AsyncClient(
            transport=(user or Nobody()).async_transport(context), base_url=address.url, trust_env=False,
            timeout=TIMEOUT_SECONDS, follow_redirects=False,
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    async def ask(self, exchange: Exchange[T]) -> T:
        """Hold the conversation; as `Connection.ask`."""
        request = next(exchange)
        while True:
            answer = await self._answer(request)
            try:
                request = exchange.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result

    async def _answer(self, request: Request) -> Answer:
        try:
            async with self._http.stream(
                request.method, request.path, params=request.query, content=request.body
            ) as response:
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    _append(content, chunk)
        except httpx.TransportError as error:
            raise _failed(self._address, error) from error
        return _answer(response, content)


def _answer(response: httpx.Response, content: bytearray) -> Answer:
    detail = response.headers.get(DETAIL_HEADER, "")
    return Answer(status=response.status_code, content=bytes(content), detail=detail)


def _append(content: bytearray, chunk: bytes) -> None:
    content += chunk
    if len(content) > MAX_ANSWER_BYTES:
        raise AnswerError("the answer is too large", wanted=f"at most {MAX_ANSWER_BYTES} bytes")


def _failed(address: Address, error: httpx.TransportError) -> ConnectionFailed:
    return ConnectionFailed(f"no answer from {address}", found=str(error) or type(error).__name__)
