"""HTTP/1.1 on an established connection; `h11` does the protocol (RFC 9112).

One request at a time: while one is being answered, and until the peer has taken the answer, nothing more is
read. No upgrades.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Final

import h11

from sealmesh.adapters.http.exchange import BodyState, Request, Response
from sealmesh.adapters.http.serving import Body, Serving
from sealmesh.adapters.tls import TlsTransport

#: Of an answer, between two looks whether the wire takes more.
_CHUNK_BYTES: Final = 256 * 1024


class Http1Connection:
    """One HTTP/1.1 connection."""

    def __init__(self, transport: TlsTransport, serving: Serving) -> None:
        self._transport = transport
        self._serving = serving
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=serving.limits.header_bytes)
        self._head: h11.Request | None = None
        self._body = Body(serving)
        self._task: asyncio.Task[None] | None = None
        self._answered = False
        # From the answer's first byte until the wire has taken enough of the last ones.
        self._answering = False
        self._unsent = memoryview(b"")
        self._writable = True
        self._closing = False
        self._hung_up = False
        # The first request must come as fast as any other, or a silent peer would keep its slot for long.
        self._deadline = serving.loop.time() + serving.limits.request_seconds

    # -- from below --------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        def take() -> None:
            self._h11.receive_data(data)
            self._advance()

        self._guarded(take)

    def eof_received(self) -> None:
        if not self._is_busy():
            self._hang_up()
        self._closing = True

    def pause_writing(self) -> None:
        self._writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._writable = True
        if self._answering:
            self._guarded(self._pump)
        elif self._task is None:
            self._transport.resume_reading()

    def connection_lost(self) -> None:
        self._closing = True
        self._answering = False
        self._unsent = memoryview(b"")
        self._body.release()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    # -- from the server ---------------------------------------------------------------------------

    def expired(self, now: float) -> str | None:
        """See `HttpConnection.expired`."""
        if self._hung_up:
            return "the peer does not hang up"
        if now <= self._deadline:
            return None
        return "no request for too long" if self._head is None else "a request took too long"

    def shut_down(self) -> None:
        """See `HttpConnection.shut_down`."""
        self._closing = True
        if not self._is_busy():
            self._hang_up()

    # -- events ------------------------------------------------------------------------------------

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint)
        except Exception as error:
            self._serving.observer.fault("http1", error)
            self._transport.abort()

    def _is_busy(self) -> bool:
        return self._task is not None or self._answering

    def _advance(self) -> None:
        while not self._is_busy():
            event = self._h11.next_event()
            match event:
                case h11.Request():
                    self._begin(event)
                case h11.Data():
                    self._add(bytes(event.data))
                case h11.EndOfMessage():
                    self._ended()
                case h11.ConnectionClosed():
                    self._hang_up()
                    return
                case _:  # NEED_DATA, PAUSED
                    self._invite()
                    return

    def _begin(self, head: h11.Request) -> None:
        self._head = head
        self._body = Body(self._serving)
        self._answered = False
        self._deadline = self._serving.loop.time() + self._serving.limits.request_seconds
        if len(head.headers) > self._serving.limits.header_count:
            self._refuse(431)

    def _invite(self) -> None:
        if self._h11.they_are_waiting_for_100_continue and not self._answered:
            self._write(h11.InformationalResponse(status_code=100, headers=[]))

    def _add(self, data: bytes) -> None:
        self._body.add(data)
        if self._body.state is BodyState.WHOLE:
            return
        if not self._answered and self._task is None:
            self._dispatch()
        if self._body.discarded > self._serving.limits.drain_bytes:
            self._hang_up()

    def _ended(self) -> None:
        if not self._answered:
            self._dispatch()
        else:
            self._hang_up()  # answered before its end: the connection is not used again

    # -- answering ---------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        self._deadline = math.inf  # from here on it is our time
        self._transport.pause_reading()
        self._task = self._serving.loop.create_task(self._answer(self._request()))

    def _request(self) -> Request:
        assert self._head is not None
        path, _, query = _origin_form(self._head.target.decode("latin-1")).partition("?")
        return Request(
            method=self._head.method.decode("latin-1"),
            path=path,
            query=query,
            headers=tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in self._head.headers),
            body=self._body.take(),
            body_state=self._body.state,
            peer_address=self._transport.peer_address,
            peer_chain=self._transport.peer_chain_der,
            has_trailers=False,
        )

    async def _answer(self, request: Request) -> None:
        response = await self._serving.answer(request)
        if self._task is None:
            return  # the connection is gone
        self._task = None
        self._answered = True
        self._body.release()

        def send() -> None:
            self._send(response, head_only=request.method == "HEAD")
            self._pump()

        self._guarded(send)

    def _send(self, response: Response, *, head_only: bool) -> None:
        """Begin the answer: its head goes out together with the first part of its body."""
        headers = [*response.headers, ("content-length", str(len(response.body)))]
        if self._closing or self._body.state is not BodyState.WHOLE:
            headers.append(("connection", "close"))
        head = self._h11.send(h11.Response(status_code=response.status, headers=headers))
        self._answering = True
        self._unsent = memoryview(b"" if head_only else response.body)
        self._send_part(head or b"")

    def _send_part(self, head: bytes = b"") -> None:
        part, self._unsent = self._unsent[:_CHUNK_BYTES], self._unsent[_CHUNK_BYTES:]
        data = head + ((self._h11.send(h11.Data(data=bytes(part))) or b"") if part else b"")
        if not self._unsent:
            data += self._h11.send(h11.EndOfMessage()) or b""
        self._deadline = self._serving.loop.time() + self._serving.limits.response_seconds
        self._transport.write(data)

    def _pump(self) -> None:
        """Send as much of the answer as the wire takes, then go on."""
        while self._writable and self._answering:
            if self._h11.our_state is h11.SEND_BODY:
                self._send_part()
            else:
                self._answering = False
                self._next()

    def _next(self) -> None:
        """Go on with the next request, or hang up, or wait for the end of one that was refused."""
        ours, theirs = self._h11.our_state, self._h11.their_state
        if ours is h11.DONE and theirs is h11.DONE and not self._closing:
            self._h11.start_next_cycle()
            self._head = None
            self._deadline = self._serving.loop.time() + self._serving.limits.idle_seconds
        elif theirs is not h11.SEND_BODY:
            self._hang_up()
            return
        self._transport.resume_reading()
        self._advance()

    def _refuse(self, status: int) -> None:
        """Answer what is no HTTP, as far as possible, and hang up."""
        if self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            head = [("content-length", "0"), ("connection", "close")]
            self._write(h11.Response(status_code=status, headers=head), h11.EndOfMessage())
        self._hang_up()

    def _write(self, *events: h11.Event) -> None:
        data = b"".join(self._h11.send(event) or b"" for event in events)
        if data:
            self._transport.write(data)

    def _hang_up(self) -> None:
        self._closing = self._hung_up = True
        self._transport.close()


def _origin_form(target: str) -> str:
    """Return path and query of a target that may be absolute (RFC 9112, 3.2.2)."""
    if target.startswith("/"):
        return target
    _scheme, separator, rest = target.partition("://")
    return "/" + rest.partition("/")[2] if separator else target
