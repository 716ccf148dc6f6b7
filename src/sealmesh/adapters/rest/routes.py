"""The table of routes.

Each row: what is refused before the body is looked at (`act`), what computes the answer's `data`, and how a
refusal is worded. Order of checks: COMPAT section 3.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from sealmesh.adapters.rest import handlers_governance, handlers_own, handlers_v1, handlers_v2
from sealmesh.adapters.rest.call import Call
from sealmesh.coordinator.phase import Act
from sealmesh.errors import SealmeshError
from sealmesh.wire.envelope import Answer, own_error
from sealmesh.wire.refusals import RULES_V2, refuse_v1, refuse_v2

V2 = "/api/v2"
OWN = "/api/sealmesh/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method on one path.

    Attributes:
        act: Its gate and caller are checked before anything else; None for routes that are open to all.
    """

    answer: Callable[[Call], Answer]
    refuse: Callable[[SealmeshError], Answer]
    act: Act | None = None


def _v1(answer: Callable[[Call], Answer], act: Act | None = None) -> Route:
    return Route(answer=answer, refuse=refuse_v1, act=act)


def _v1_read(answer: Callable[[Call], Answer]) -> Route:
    return Route(answer=answer, refuse=partial(refuse_v1, rules=RULES_V2))


def _v2(answer: Callable[[Call], Answer], act: Act | None = None) -> Route:
    return Route(answer=answer, refuse=refuse_v2, act=act)


def _own(answer: Callable[[Call], Answer]) -> Route:
    return Route(answer=answer, refuse=own_error)


#: (method, decoded path) -> route. What is not here is 405.
ROUTES: Mapping[tuple[str, str], Route] = MappingProxyType(
    {
        ("GET", "/status"): _v1_read(handlers_v1.status),
        ("GET", "/manifest"): _v1_read(handlers_v1.manifest),
        ("POST", "/manifest"): _v1(handlers_v1.set_manifest),
        ("GET", "/quote"): _v1_read(handlers_v1.quote),
        ("POST", "/recover"): _v1(handlers_v1.recover),
        ("GET", "/update"): _v1_read(handlers_v1.update_log),
        ("POST", "/update"): _v1(handlers_v1.update, Act.UPDATE),
        ("GET", "/update-manifest"): _v1_read(handlers_v1.pending_update),
        ("POST", "/update-manifest"): Route(  # the one v1 route that answers the rules' refusals as v2 does
            answer=handlers_v1.acknowledge, refuse=partial(refuse_v1, rules=RULES_V2), act=Act.UPDATE
        ),
        ("POST", "/update-cancel"): _v1(handlers_v1.cancel, Act.UPDATE),
        ("GET", "/secrets"): _v1(handlers_v1.get_secrets, Act.ACCESS_SECRETS),
        ("POST", "/secrets"): _v1(handlers_v1.set_secrets, Act.ACCESS_SECRETS),
        ("GET", V2 + "/status"): _v2(handlers_v2.status),
        ("GET", V2 + "/manifest"): _v2(handlers_v2.manifest),
        ("POST", V2 + "/manifest"): _v2(handlers_v2.set_manifest),
        ("GET", V2 + "/quote"): _v2(handlers_v2.quote),
        ("POST", V2 + "/recover"): _v2(handlers_v2.recover),
        ("GET", V2 + "/recover/public-key"): _v2(handlers_v2.recovery_public_key),
        ("GET", V2 + "/update"): _v2(handlers_v2.update_log),
        ("POST", V2 + "/update"): _v2(handlers_v2.update, Act.UPDATE),
        ("GET", V2 + "/update-manifest"): _v2(handlers_v2.pending_update),
        ("POST", V2 + "/update-manifest"): _v2(handlers_v2.acknowledge, Act.UPDATE),
        ("POST", V2 + "/update-cancel"): _v2(handlers_v2.cancel, Act.UPDATE),
        ("GET", V2 + "/secrets"): _v2(handlers_v2.get_secrets, Act.ACCESS_SECRETS),
        ("POST", V2 + "/secrets"): _v2(handlers_v2.set_secrets, Act.ACCESS_SECRETS),
        ("POST", V2 + "/sign-quote"): _v2(handlers_v2.sign_quote, Act.SIGN_QUOTE),
        ("POST", V2 + "/monotonic-counter"): _v2(handlers_v2.monotonic_counter, Act.COUNT),
        ("GET", OWN + "/status"): _own(handlers_own.status),
        ("GET", OWN + "/quote"): _own(handlers_own.quote),
        ("GET", OWN + "/statement"): _own(handlers_own.statement),
        ("POST", OWN + "/recover/drill"): _own(handlers_own.drill),
        # These know their callers themselves: a Marble or a user; before a recovery no user is known.
        ("GET", OWN + "/results"): _own(handlers_own.results),
        ("GET", OWN + "/governance"): _own(handlers_governance.governance),
        ("GET", OWN + "/approvals"): _own(handlers_governance.approvals),
        ("POST", OWN + "/approvals"): _own(handlers_governance.submit_approval),
    }
)
