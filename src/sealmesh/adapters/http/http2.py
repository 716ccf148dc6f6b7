"""HTTP/2 on an established connection; `h2` does the protocol (RFC 9113).

Invariants:

- What a peer can make us keep is bounded: streams, header bytes, body bytes, unsent answers.
- While the wire takes no more, nothing is read: a peer that asks and does not listen gets no further.
- Nothing that a peer sends raises out of here.
"""

import asyncio
import math

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from sealmesh.adapters.http.exchange import BodyState, Request, Response
from sealmesh.adapters.http.quiet import keep_quiet
from sealmesh.adapters.http.serving import Body, Serving
from sealmesh.adapters.http.window_sieve import WindowSieve
from sealmesh.adapters.tls import TlsTransport

# Inbound headers are checked here as far as they are used: to have the library check all costs a third more.
_CONFIGURATION = H2Configuration(
    client_side=False,
    header_encoding=None,
    validate_inbound_headers=False,
    normalize_inbound_headers=False,
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
)

#: An answer is handed to the wire in pieces of this size. One of ours with its Evidence is 20 kB.
_FLUSH_BYTES = 65_536

keep_quiet()

_Headers = list[tuple[bytes, bytes]]


class _Stream:
    __slots__ = ("answered", "body", "deadline", "headers", "identifier", "task", "trailers", "unsent")

    def __init__(self, identifier: int, headers: _Headers, body: Body, deadline: float) -> None:
        self.identifier = identifier
        self.headers = headers
        self.body = body
        self.deadline = deadline
        self.task: asyncio.Task[None] | None = None
        self.answered = False
        self.unsent = memoryview(b"")
        self.trailers: _Headers = []


class Http2Connection:
    """One HTTP/2 connection."""

    def __init__(self, transport: TlsTransport, serving: Serving) -> None:
        self._transport = transport
        self._serving = serving
        self._streams: dict[int, _Stream] = {}
        self._resets = 0
        self._writable = True
        self._closing = False
        self._hung_up = False
        self._last_activity = serving.loop.time()
        self._last_stream = 0
        self._sieve = WindowSieve()
        self._h2 = _connection(serving)
        self._h2.initiate_connection()
        self._flush()

    # -- from below --------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._hung_up:
            return
        h2 = self._h2
        data, grown = self._sieve.sift(
            data,
            window=h2.outbound_flow_control_window,
            waiting=self._streams,
            last_stream=self._last_stream,
        )
        try:
            if grown:
                h2.outbound_flow_control_window += grown
                self._pump_all()
            for event in h2.receive_data(data) if data else ():
                self._take(event)
        except ProtocolError:
            self._hang_up()
        except Exception as error:
            self._serving.observer.fault("http2", error)
            self._transport.abort()
        else:
            self._flush()

    def eof_received(self) -> None:
        if self._streams:
            self.shut_down()
        else:
            self._hang_up()  # without GOAWAY: nobody there would ask for more

    def pause_writing(self) -> None:
        self._writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._writable = True
        self._pump_all()
        self._transport.resume_reading()

    def connection_lost(self) -> None:
        self._closing = True
        for stream in list(self._streams.values()):
            self._forget(stream)

    # -- from the server ---------------------------------------------------------------------------

    def expired(self, now: float) -> str | None:
        """See `HttpConnection.expired`."""
        if self._hung_up:
            return "the peer does not hang up"
        if any(stream.deadline < now for stream in self._streams.values()):
            return "a request took too long"
        idle = now - self._last_activity
        if not self._streams and idle > self._serving.limits.idle_seconds:
            return "no request for too long"
        return None

    def shut_down(self) -> None:
        """See `HttpConnection.shut_down`."""
        self._closing = True
        if not any(stream.task is not None or stream.answered for stream in self._streams.values()):
            self._say_goodbye()

    # -- events ------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._begin(event)
            case DataReceived():
                self._add(event)
            case StreamEnded():
                self._ended(event.stream_id)
            case StreamReset():
                self._abandoned(event.stream_id)
            case WindowUpdated() | RemoteSettingsChanged():
                self._pump_all()
            case ConnectionTerminated():
                self.shut_down()
            case _:
                pass

    def _begin(self, event: RequestReceived) -> None:
        limits = self._serving.limits
        headers: _Headers = list(event.headers)
        self._last_stream = event.stream_id
        if self._closing:
            self._h2.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
        elif len(headers) > limits.header_count:
            self._h2.reset_stream(event.stream_id, ErrorCodes.ENHANCE_YOUR_CALM)
        else:
            self._last_activity = self._serving.loop.time()
            deadline = self._last_activity + limits.request_seconds
            stream = _Stream(event.stream_id, headers, Body(self._serving), deadline)
            self._streams[event.stream_id] = stream

    def _add(self, event: DataReceived) -> None:
        self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        stream = self._streams.get(event.stream_id)
        if stream is None:
            return
        stream.body.add(event.data)
        if stream.body.state is not BodyState.WHOLE:
            if stream.task is None and not stream.answered:
                self._dispatch(stream)
            if stream.body.discarded > self._serving.limits.drain_bytes:
                self._reset(stream, ErrorCodes.ENHANCE_YOUR_CALM)

    def _ended(self, identifier: int) -> None:
        stream = self._streams.get(identifier)
        if stream is None:
            return
        if stream.task is None and not stream.answered:
            self._dispatch(stream)
        elif stream.answered and not stream.unsent and not stream.trailers:
            self._forget(stream)

    def _abandoned(self, identifier: int) -> None:
        stream = self._streams.get(identifier)
        if stream is not None:
            self._forget(stream)
        self._resets += 1
        if self._resets > self._serving.limits.resets:
            self._h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            self._hang_up()

    # -- answering ---------------------------------------------------------------------------------

    def _dispatch(self, stream: _Stream) -> None:
        request = self._request(stream)
        if request is None:
            self._reset(stream, ErrorCodes.PROTOCOL_ERROR)
        else:
            stream.deadline = math.inf  # from here on it is our time
            stream.task = self._serving.loop.create_task(self._answer(stream, request))

    def _request(self, stream: _Stream) -> Request | None:
        pseudo: dict[bytes, bytes] = {}
        fields: list[tuple[str, str]] = []
        for name, value in stream.headers:
            if name.startswith(b":"):
                pseudo[name] = value
            else:
                fields.append((name.decode("latin-1").lower(), value.decode("latin-1")))
        if b":method" not in pseudo or not pseudo.get(b":path", b"").startswith(b"/"):
            return None
        path, _, query = pseudo[b":path"].decode("latin-1").partition("?")
        return Request(
            method=pseudo[b":method"].decode("latin-1"),
            path=path,
            query=query,
            headers=tuple(fields),
            body=stream.body.take(),
            body_state=stream.body.state,
            peer_address=self._transport.peer_address,
            peer_chain=self._transport.peer_chain_der,
            has_trailers=True,
        )

    async def _answer(self, stream: _Stream, request: Request) -> None:
        response = await self._serving.answer(request)
        stream.task = None
        if stream.identifier not in self._streams:
            return
        try:
            self._send(stream, response, head_only=request.method == "HEAD")
            self._flush()
        except ProtocolError:
            self._forget(stream)

    def _send(self, stream: _Stream, response: Response, *, head_only: bool) -> None:
        headers = [(b":status", b"%d" % response.status), *_encoded(response.headers)]
        body = b"" if head_only else response.body
        stream.answered = True
        stream.deadline = self._serving.loop.time() + self._serving.limits.response_seconds
        stream.unsent = memoryview(body)
        stream.trailers = _encoded(response.trailers)
        bare = not body and not stream.trailers
        self._h2.send_headers(stream.identifier, headers, end_stream=bare)
        if bare:
            self._settle(stream)
        else:
            self._pump(stream)

    def _pump_all(self) -> None:
        for stream in list(self._streams.values()):
            if stream.unsent or stream.trailers:
                self._pump(stream)
        self._flush()

    def _pump(self, stream: _Stream) -> None:
        """Send as much of the answer as peer and wire take."""
        since_flush = 0
        try:
            while stream.unsent and self._writable:
                room = self._h2.local_flow_control_window(stream.identifier)
                if room <= 0:
                    return
                chunk = stream.unsent[: min(room, self._h2.max_outbound_frame_size)]
                stream.unsent = stream.unsent[len(chunk) :]
                last = not stream.unsent and not stream.trailers
                self._h2.send_data(stream.identifier, bytes(chunk), end_stream=last)
                stream.deadline = self._serving.loop.time() + self._serving.limits.response_seconds
                since_flush += len(chunk)
                if stream.unsent and since_flush >= _FLUSH_BYTES:
                    self._flush()  # to learn whether the wire takes more
                    since_flush = 0
            if stream.unsent:
                return
            if stream.trailers:
                self._h2.send_headers(stream.identifier, stream.trailers, end_stream=True)
                stream.trailers = []
            self._settle(stream)
        except ProtocolError:
            self._forget(stream)

    def _settle(self, stream: _Stream) -> None:
        """The answer is out. Keep the stream only while the peer still sends its request."""
        if stream.body.state is BodyState.WHOLE or self._h2_closed(stream):
            self._forget(stream)

    def _h2_closed(self, stream: _Stream) -> bool:
        state = self._h2.streams.get(stream.identifier)
        return state is None or bool(state.closed)

    def _forget(self, stream: _Stream) -> None:
        self._streams.pop(stream.identifier, None)
        stream.body.release()
        task, stream.task = stream.task, None
        if task is not None:
            task.cancel()
        self._last_activity = self._serving.loop.time()
        if self._closing and not self._streams:
            self._say_goodbye()

    def _reset(self, stream: _Stream, code: ErrorCodes) -> None:
        if not self._h2_closed(stream):
            self._h2.reset_stream(stream.identifier, code)
        self._forget(stream)

    # -- the wire ----------------------------------------------------------------------------------

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self._transport.write(data)

    def _say_goodbye(self) -> None:
        try:
            self._h2.close_connection()
        except ProtocolError:
            pass  # the connection was closed before
        self._hang_up()

    def _hang_up(self) -> None:
        self._closing = self._hung_up = True
        self._flush()
        self._transport.close()


def _connection(serving: Serving) -> H2Connection:
    connection = H2Connection(config=_CONFIGURATION)
    connection.local_settings = Settings(
        client=False,
        initial_values={
            SettingCodes.MAX_CONCURRENT_STREAMS: serving.limits.streams,
            SettingCodes.MAX_HEADER_LIST_SIZE: serving.limits.header_bytes,
        },
    )
    connection.decoder.max_header_list_size = serving.limits.header_bytes
    return connection


def _encoded(headers: tuple[tuple[str, str], ...]) -> _Headers:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
