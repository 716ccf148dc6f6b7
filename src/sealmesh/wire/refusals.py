"""Refusals as v1 and v2 answer them (COMPAT sections 3 and 4): one table for what is not the general rule.

Their envelopes have room for one sentence. Code, found, wanted and remedy travel beside it, in a header that
MarbleRun's clients do not look at.
"""

import json
from dataclasses import replace

from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import (
    GateClosed,
    MarbleUnauthenticated,
    NothingPending,
    QuoteNotVerified,
    RecoveryRefused,
    UserUnauthenticated,
)
from sealmesh.errors.transport import BodyRefused, EndpointGone, MessageTooLarge, Overloaded, QueryRefused
from sealmesh.wire.envelope import Answer, error, fail

#: Refused by the Coordinator's rules.
RULES_V1 = 400
RULES_V2 = 500

#: The same on both versions. True: the caller's form or identity, which v2 calls `fail`.
_TABLE: dict[type[SealmeshError], tuple[int, bool]] = {
    BodyRefused: (400, True),
    QueryRefused: (400, True),
    QuoteNotVerified: (400, True),
    UserUnauthenticated: (401, True),
    MarbleUnauthenticated: (401, True),
    GateClosed: (403, False),
    NothingPending: (404, False),
    EndpointGone: (410, False),
    MessageTooLarge: (413, False),
    Overloaded: (503, False),
}
#: `RecoveryRefused` with this code: the encrypted form did not open.
UNREADABLE = "recovery-secret-unreadable"

#: JSON, ASCII: code, message, found, wanted, remedy.
DETAIL_HEADER = "sealmesh-error"
_MAX_TEXT = 400


def refuse_v1(refusal: SealmeshError, *, rules: int = RULES_V1) -> Answer:
    """Return the answer of a v1 route; `rules` is its status for refusals by the rules."""
    status, _ = _status(refusal, rules)
    return _detailed(error(status, str(refusal)), refusal)


def refuse_v2(refusal: SealmeshError) -> Answer:
    """Return the answer of a v2 route."""
    status, by_form = _status(refusal, RULES_V2)
    if isinstance(refusal, QuoteNotVerified):
        answer = fail(status, str(refusal), {"sgxQuote": str(refusal)})
    else:
        answer = fail(status, str(refusal)) if by_form else error(status, str(refusal))
    return _detailed(answer, refusal)


def _detailed(answer: Answer, refusal: SealmeshError) -> Answer:
    detail = {name: text[:_MAX_TEXT] for name, text in refusal.as_dict().items()}
    return replace(answer, headers=(*answer.headers, (DETAIL_HEADER, json.dumps(detail))))


def _status(refusal: SealmeshError, rules: int) -> tuple[int, bool]:
    if isinstance(refusal, RecoveryRefused) and refusal.code == UNREADABLE:
        return 400, True
    for kind, row in _TABLE.items():
        if isinstance(refusal, kind):
            return row
    return rules, False
