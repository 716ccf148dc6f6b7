"""One method on one path, as it is described."""

from dataclasses import dataclass
from enum import StrEnum

from sealmesh.wire.openapi.schemas import Schema

#: Answers of every operation, whatever it does.
_TOO_LARGE, _OVERLOADED = 413, 503
#: By `errors.http_status`, one for each kind of failure.
_OWN_STATUSES = (400, 401, 403, 404, 409, 412, 413, 429, 500, 503)

_WHY = {
    400: "The request cannot be read.",
    401: "No certificate of the connection is one of a user, or of a Marble.",
    403: "The manifest does not switch this on.",
    404: "No update waits.",
    409: "Somebody else changed the state in between.",
    410: "Not served here any more.",
    412: "Not possible in the Coordinator's phase.",
    413: "The body is larger than any that is taken.",
    429: "A named limit was passed.",
    500: "The Coordinator's rules refuse it, as MarbleRun answers. The message says which and what to do; "
    "it is `internal error` only where the Coordinator itself is at fault, and that is logged as `fault`.",
    503: "Not now: too many large requests at once, or something needed is away.",
}


_WHY_V1 = {400: "The request cannot be read, or the Coordinator's rules refuse it."}
_WHY_OWN = {
    401: "No certificate of the connection is one that may ask this.",
    403: "The rules refuse it.",
    404: "There is none.",
    500: "The Coordinator is wrongly configured, or at fault.",
}


class Api(StrEnum):
    """Which of the three interfaces."""

    V1 = "v1"
    V2 = "v2"
    OWN = "sealmesh"


class Caller(StrEnum):
    """Who has to show a certificate."""

    ANYBODY = "anybody"
    USER = "user"
    MARBLE = "marble"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One parameter of the query."""

    name: str
    about: str
    several: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path.

    Attributes:
        data: Of a success, inside the envelope; None where there is never one.
        bare: The success is `data` itself, with no envelope.
        media: The media types of a success.
        body: Of the request; the Content-Type is never looked at.
        refusals: Statuses besides those of every operation.
    """

    method: str
    path: str
    about: str
    api: Api
    data: Schema | None
    bare: bool = False
    media: tuple[str, ...] = ("application/json",)
    body: Schema | None = None
    query: tuple[Query, ...] = ()
    caller: Caller = Caller.ANYBODY
    refusals: tuple[int, ...] = ()

    @property
    def statuses(self) -> tuple[int, ...]:
        """All statuses of refusals."""
        if self.api is Api.OWN:
            return _OWN_STATUSES
        by_caller = () if self.caller is Caller.ANYBODY else (401,)
        by_rules = {Api.V1: (400, 500), Api.V2: (400, 500)}[self.api]
        return tuple(sorted({*by_rules, *by_caller, *self.refusals, _TOO_LARGE, _OVERLOADED}))

    def refusal(self, status: int) -> "Refusal":
        """Return what a refusal means, and the form of its body."""
        if self.api is Api.OWN:
            return Refusal(_WHY_OWN.get(status, _WHY[status]), "application/json", "OwnError")
        if self.api is Api.V2 and status in (400, 401):
            return Refusal(_WHY[status], "application/json", "Fail")
        return Refusal(_WHY_V1.get(status, _WHY[status]), "text/plain", "Error")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a status means, and the component that describes its body."""

    why: str
    media_type: str
    schema: str
