"""MarbleRun's first REST API, for Coordinators that have no second one (COMPAT sections 3, 4 and 14).

A Coordinator that answers 405 to a route of API v2 has done nothing; the same act is then asked on API v1,
and the answer read as v2's. What v1 does not have: a nonce in the quote, recovery, signed quotes, counters.
Its answer to an update says neither who is missing nor the new recovery secrets.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sealmesh.client.answers import bytes_member, content_of, data_of, member, value_of
from sealmesh.client.exchange import Exchange, Request, get
from sealmesh.errors.client import AnswerError, NothingThere, Refused

#: What a Coordinator without API v2 answers on its routes.
NOT_SERVED: Final = 405
_APPLIED: Final = "All"
_MISSING: Final = re.compile(r"(\d{1,6}) users? still needs? to acknowledge\b")

Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstApi:
    """One act on API v1.

    Attributes:
        members: Turns its `data` into the members that v2 would have answered.
    """

    request: Request
    members: Callable[[Any], Members]


def asked(request: Request, first: FirstApi) -> Exchange[Members]:
    """Ask on API v2, and on v1 where that is not there; return the members of v2's `data`.

    Raises:
        AnswerError: A refusal, or no answer of these forms.
    """
    answer = yield request
    if answer.status != NOT_SERVED:
        return data_of(request, answer)
    old = yield first.request
    return first.members(value_of(first.request, old))


def done(request: Request, first: Request) -> Exchange[None]:
    """Ask for an act whose answer says nothing; otherwise as `asked`."""
    answer = yield request
    if answer.status != NOT_SERVED:
        value_of(request, answer)
        return
    old = yield first
    content_of(first, old)


def raw_post(path: str, body: bytes | None = None) -> Request:
    """Return a request whose body is what v2 wraps into JSON."""
    return Request(method="POST", path=path, body=body)


def renamed(**names: str) -> Callable[[Any], Members]:
    """Return a reader of members that v1 calls by these names and v2 by their values."""

    def members(data: Any) -> Members:
        found = _object(data)
        return {new: found[old] for old, new in names.items() if old in found}

    return members


def manifest(data: Any) -> Members:
    """Read the manifest in force. Where v2 refuses because there is none, v1 has an empty fingerprint.

    Raises:
        Refused: There is no manifest.
    """
    found = renamed(
        ManifestSignature="manifestFingerprint",
        ManifestSignatureRootECDSA="manifestSignatureRootECDSA",
        Manifest="manifest",
    )(data)
    if found.get("manifestFingerprint") == "":
        raise Refused("the Coordinator has no manifest", remedy="Set one: `sealmesh manifest set`.")
    return {name: value for name, value in found.items() if value is not None}


def recovery_secrets(data: Any) -> Members:
    """Read what setting a manifest gives: null without recovery keys."""
    return {} if data is None else _object(data)


def update_log(data: Any) -> Members:
    """Read the log, one text, as lines."""
    if not isinstance(data, str):
        raise AnswerError("the Coordinator's log is not a text", found=type(data).__name__)
    return {"updateLog": data.splitlines()}


def acknowledged(data: Any) -> Members:
    """Read the sentence that says how many acknowledgments are missing."""
    text = data if isinstance(data, str) else ""
    missing = _MISSING.match(text)
    if missing is None and text.partition(" ")[0] != _APPLIED:
        raise AnswerError("the Coordinator does not say who is missing", found=text[:100])
    return {"missingAcknowledgments": 0 if missing is None else int(missing[1])}


def secrets(data: Any) -> Members:
    """Read secrets, which v1 gives without a frame."""
    return {"secrets": _object(data)}


def updated(request: Request, path: str, raw: bytes) -> Exchange[Members]:
    """Update on API v2, or on v1, whose answer is empty: then see whether this very update waits.

    Args:
        request: Of API v2.
        path: Of API v1, for both acts.
        raw: The update.
    """
    answer = yield request
    if answer.status != NOT_SERVED:
        return data_of(request, answer)
    sent, pending = raw_post(path, raw), get(f"{path}-manifest")
    content_of(sent, (yield sent))
    try:
        found = data_of(pending, (yield pending))
    except NothingThere:
        return {"missingAcknowledgments": 0}
    if bytes_member(found, "manifest") != raw:
        return {"missingAcknowledgments": 0}  # another one waits: this one was taken, so it is in force
    users = member(found, "missingUsers", list)
    return {"missingAcknowledgments": len(users), "missingUsers": users}


def _object(data: Any) -> Members:
    if not isinstance(data, dict):
        raise AnswerError("the Coordinator's answer has no data", found=type(data).__name__)
    return data
