"""What the connections of one server share."""

import asyncio
from typing import Protocol

from sealmesh.adapters.http.exchange import Application, BodyState, Request, Response
from sealmesh.adapters.http.limits import Limits
from sealmesh.adapters.http.observer import Observer
from sealmesh.adapters.tls import TlsApplication


class HttpConnection(TlsApplication, Protocol):
    """One established connection, as its server sees it."""

    def expired(self, now: float) -> str | None:
        """Return why this connection should go at `now` (seconds of the loop's clock), None to keep it."""
        ...

    def shut_down(self) -> None:
        """Hang up as soon as the requests in the making are answered."""
        ...


class Serving:
    """Application, limits and the memory that request bodies take, for all connections of a server."""

    def __init__(self, application: Application, limits: Limits, observer: Observer) -> None:
        self.limits = limits
        self.observer = observer
        self.loop = asyncio.get_running_loop()
        self._application = application
        self._body_bytes = 0

    @property
    def body_bytes(self) -> int:
        """How much the bodies of all requests in the making take now."""
        return self._body_bytes

    async def answer(self, request: Request) -> Response:
        """Ask the application; a fault of ours becomes 500 without detail."""
        try:
            return await self._application(request)
        except Exception as error:
            self.observer.fault("request", error)
            return Response(status=500)


class Body:
    """The body of one request while it comes in, within the caps."""

    __slots__ = ("_data", "_serving", "discarded", "state")

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._data = bytearray()
        self.state = BodyState.WHOLE
        self.discarded = 0

    def add(self, data: bytes) -> None:
        """Take a part; over a cap what was kept is dropped and all further parts are only counted."""
        serving = self._serving
        if self.state is not BodyState.WHOLE:
            self.discarded += len(data)
        elif len(self._data) + len(data) > serving.limits.body_bytes:
            self._give_up(BodyState.TOO_LARGE)
        elif serving._body_bytes + len(data) > serving.limits.body_bytes_total:
            self._give_up(BodyState.OVERLOAD)
        else:
            self._data += data
            serving._body_bytes += len(data)

    def take(self) -> bytes:
        """Return what came in."""
        return bytes(self._data)

    def release(self) -> None:
        """Give the memory back; to be called once the request is over, however it ended."""
        self._serving._body_bytes -= len(self._data)
        self._data = bytearray()

    def _give_up(self, state: BodyState) -> None:
        self.state = state
        self.release()
