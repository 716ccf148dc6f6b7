"""The client port's HTTP application: path, route, checks in order, answer."""

from html import escape
from time import perf_counter

from sealmesh.adapters.http import BodyState, Calls, Observer, Request, Response
from sealmesh.adapters.rest.call import Call
from sealmesh.adapters.rest.routes import ROUTES, Route
from sealmesh.adapters.rest.target import Query, clean_path, decode_path, encode_path
from sealmesh.coordinator.api import CoordinatorPort, PeerChain
from sealmesh.errors import SealmeshError
from sealmesh.errors.transport import MessageTooLarge, Overloaded
from sealmesh.wire.envelope import Answer, error

#: What the observer hears instead of a path that is not ours.
UNKNOWN_ROUTE = "other"


class RestApplication:
    """Answers every request with MarbleRun's envelope; whatever goes wrong is one too."""

    def __init__(self, coordinator: CoordinatorPort, *, calls: Calls, observer: Observer) -> None:
        self._coordinator = coordinator
        self._calls = calls
        self._observer = observer

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        begun = perf_counter()
        response = await self._respond(request)
        known = request.path if (request.method, request.path) in ROUTES else UNKNOWN_ROUTE
        self._observer.answered(request.method, known, str(response.status), perf_counter() - begun)
        return response

    async def _respond(self, request: Request) -> Response:
        path = decode_path(request.path)
        if path is None:
            return _response(error(400, "the path has a broken escape"))
        if not path.startswith("/"):
            return _response(error(405))  # OPTIONS *
        clean = clean_path(path)
        if clean != path:
            return _redirect(request, clean)
        route = ROUTES.get((request.method, path))
        if route is None:
            return _response(error(405))
        return _response(await self._answer(route, request))

    async def _answer(self, route: Route, request: Request) -> Answer:
        chain = request.peer_chain()  # on the loop: OpenSSL's connection belongs to it
        try:
            return await self._calls.run(lambda: self._run(route, request, chain))
        except SealmeshError as refusal:
            return route.refuse(refusal)
        except Exception as fault:
            self._observer.fault(f"{request.method} {request.path}", fault)
            return error(500, "internal error")

    def _run(self, route: Route, request: Request, chain: PeerChain) -> Answer:
        """Do the work, in one of the threads."""
        if route.act is not None:
            self._coordinator.admit(route.act, chain)
        _check_whole(request)
        query = Query(request.query)
        return route.answer(Call(coordinator=self._coordinator, chain=chain, query=query, body=request.body))


def _check_whole(request: Request) -> None:
    if request.body_state is BodyState.TOO_LARGE:
        raise MessageTooLarge("the body is too large")
    if request.body_state is BodyState.OVERLOAD:
        raise Overloaded("too many large requests at once")


def _response(answer: Answer) -> Response:
    return Response(status=answer.status, headers=answer.headers, body=answer.body)


def _redirect(request: Request, clean: str) -> Response:
    location = encode_path(clean) + (f"?{request.query}" if request.query else "")
    if request.method not in ("GET", "HEAD"):
        return Response(status=307, headers=(("location", location),))
    return Response(
        status=307,
        headers=(("content-type", "text/html; charset=utf-8"), ("location", location)),
        body=f'<a href="{escape(location)}">Temporary Redirect</a>.\n\n'.encode("ascii", "replace"),
    )
