"""Reading a Coordinator's answers: the envelope, its members, and refusals as typed errors."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from sealmesh.client.exchange import Answer, Request
from sealmesh.errors.client import (
    AnswerError,
    FeatureClosed,
    NothingThere,
    NotServed,
    Overloaded,
    Refused,
    Unauthenticated,
)

_BY_STATUS: dict[int, type[AnswerError]] = {
    401: Unauthenticated,
    403: FeatureClosed,
    404: NothingThere,
    429: Overloaded,
    503: Overloaded,
}


def data_of(request: Request, answer: Answer) -> Mapping[str, Any]:
    """Return the members of `data` in a successful answer.

    Raises:
        AnswerError: It is a refusal, or no answer of this form.
    """
    members = value_of(request, answer)
    if not isinstance(members, dict):
        raise AnswerError("the Coordinator's answer has no data", found=type(members).__name__)
    return members


def value_of(request: Request, answer: Answer) -> Any:
    """Return `data` of a successful answer, whatever it is; as `data_of` otherwise."""
    content = content_of(request, answer)
    try:
        return json.loads(content)["data"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise AnswerError(
            "the Coordinator's answer cannot be read", found=f"{request.method} {request.path}"
        ) from error


def content_of(request: Request, answer: Answer) -> bytes:
    """Return the body of a successful answer; as `data_of` otherwise."""
    if answer.status == 200:
        return answer.content
    own = _own_error(answer)
    if own is not None:
        text = {name: str(own[name]) for name in ("code", "found", "wanted", "remedy") if own.get(name)}
        kind = _BY_STATUS.get(answer.status, Refused)
        raise kind(str(own.get("message") or "refused"), **text)
    message = _message(answer.content)
    if answer.status == 405 or (answer.status == 404 and not message):
        raise NotServed("the Coordinator does not serve this", found=f"{answer.status} for {request.path}")
    raise _BY_STATUS.get(answer.status, Refused)(
        f"the Coordinator refused: {message}" if message else "the Coordinator refused",
        found=f"HTTP {answer.status}",
    )


def member(members: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    """Return the member `name`, which must be a `kind`.

    Raises:
        AnswerError: It is missing or something else.
    """
    value = members.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise AnswerError(f"the answer's {name} has another type", found=type(value).__name__)
    return value


def bytes_member(members: Mapping[str, Any], name: str) -> bytes:
    """Return the base64 member `name` as bytes; as `member` otherwise."""
    try:
        return base64.b64decode(member(members, name, str), validate=True)
    except binascii.Error as error:
        raise AnswerError(f"the answer's {name} is not base64") from error


def optional_bytes(members: Mapping[str, Any], name: str) -> bytes | None:
    """Return the base64 member `name` as bytes, None if it is null, empty or missing."""
    return bytes_member(members, name) if members.get(name) else None


def texts(members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the list of texts `name`; null and missing are the empty one."""
    found = members.get(name)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise AnswerError(f"the answer's {name} is not a list", found=type(found).__name__)
    return tuple(str(item) for item in found)


def byte_map(members: Mapping[str, Any], name: str) -> Mapping[str, bytes]:
    """Return the object `name` of base64 texts; null and missing are the empty one."""
    found = members.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise AnswerError(f"the answer's {name} is not an object", found=type(found).__name__)
    return {str(key): bytes_member(found, key) for key in found}


def _own_error(answer: Answer) -> Mapping[str, Any] | None:
    """Return what a sealmesh Coordinator says of its refusal: beside the envelope, or on our own routes."""
    try:
        error = json.loads(answer.detail) if answer.detail else json.loads(answer.content)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return error if isinstance(error, dict) and "code" in error else None


def _message(content: bytes) -> str:
    try:
        answer = json.loads(content)
        return str(answer.get("message") or answer.get("data") or "")
    except (ValueError, AttributeError, RecursionError):
        return content[:200].decode(errors="replace")
