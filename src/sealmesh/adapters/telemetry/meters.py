"""Counts requests and calls, around the applications of the two ports."""

from collections.abc import Callable, Collection
from typing import Final

from sealmesh.adapters.http import Application, BodyState, Request, Response
from sealmesh.adapters.rpc.choice import framing_of
from sealmesh.adapters.rpc.framing import Framing, FramingError
from sealmesh.adapters.telemetry.families import GRPC_CODES, GrpcFamilies, HttpFamilies
from sealmesh.wire.status import Status

#: Label value for every path and method that is none of ours.
OTHER: Final = "other"
#: The client hung up before its answer; as nginx has it, no status was ever sent.
CLIENT_GONE: Final = 499
_METHODS: Final = {
    name: name.lower() for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
}


class HttpMeter:
    """The client port's application, metered.

    Args:
        paths: The paths of its routes, decoded.
        decode_path: From a request's path to such a path; None where it cannot be decoded.
        seconds: A clock that only goes forward.
    """

    def __init__(
        self,
        application: Application,
        families: HttpFamilies,
        *,
        paths: Collection[str],
        decode_path: Callable[[str], str | None],
        seconds: Callable[[], float],
    ) -> None:
        self._application = application
        self._families = families
        self._paths = paths
        self._decode_path = decode_path
        self._seconds = seconds

    async def __call__(self, request: Request) -> Response:
        """Answer, and count what it came to."""
        decoded = self._decode_path(request.path)
        path = decoded if decoded is not None and decoded in self._paths else OTHER
        method = _METHODS.get(request.method, OTHER)
        began = self._seconds()
        status = CLIENT_GONE
        with self._families.in_flight.labels(path).track_inprogress():
            try:
                response = await self._application(request)
                status = response.status
            except Exception:
                status = 500
                raise
            finally:
                self._families.requests.labels(str(status), method, path).inc()
                self._families.duration.labels(method, path).observe(self._seconds() - began)
        self._families.request_size.labels(path).observe(_size(request))
        self._families.response_size.labels(path).observe(len(response.body))
        return response


class GrpcMeter:
    """The mesh port's application, metered.

    Connect's calls count as gRPC's do. As in gRPC for Go a call begins with its message: a request with none
    (or too large a one) is not among the calls, nor is a path that is no method. Those are counted as
    `sealmesh_grpc_unreadable_total`.
    """

    def __init__(self, application: Application, families: GrpcFamilies) -> None:
        self._application = application
        self._families = families

    async def __call__(self, request: Request) -> Response:
        """Answer, and count what it came to."""
        families = self._families
        labels = families.labels_of(request.path)
        framing = framing_of(request)
        if labels is None or isinstance(framing, Response) or not _is_call(framing, request):
            families.unreadable.inc()
            return await self._application(request)
        families.started.labels(*labels).inc()
        families.received.labels(*labels).inc()
        code = Status.CANCELLED
        try:
            response = await self._application(request)
            code = framing.status_of(response)
        except Exception:
            code = Status.UNKNOWN
            raise
        finally:
            families.handled.labels(*labels, GRPC_CODES[code]).inc()
        if code == Status.OK:
            families.sent.labels(*labels).inc()
        return response


def _size(request: Request) -> int:
    head = sum(len(name) + len(value) + 4 for name, value in request.headers)
    return len(request.method) + len(request.path) + len(request.query) + head + len(request.body)


def _is_call(framing: Framing, request: Request) -> bool:
    if request.body_state is not BodyState.WHOLE:
        return False
    try:
        framing.message_of(request)
    except FramingError:
        return False
    return True
