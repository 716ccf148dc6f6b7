"""Canonical JSON (RFC 8785) and the strict reading that goes with it.

A digest over a document must not depend on blanks or on the order of keys, so digests are taken over
this form. Only what our own documents hold is written: objects, arrays, strings, booleans, null and
integers within +-(2^53 - 1); a float is refused, because languages print floats differently.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring as _quoted  # as json.dumps(ensure_ascii=False), without its set-up
from typing import TypeAlias

from sealmesh.errors.ledger import StatementError

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

#: RFC 8785, section 3.1: integers that every JSON reader keeps exactly (I-JSON, RFC 7493, 2.2).
MAX_INTEGER = 2**53 - 1

_WORDS = {True: "true", False: "false", None: "null"}


def canonical_json(value: Json) -> bytes:
    """Return the one canonical encoding of `value`.

    Raises:
        StatementError: A float, an integer beyond 2^53 - 1 or a lone surrogate is inside.
    """
    try:
        return _encode(value).encode()
    except UnicodeEncodeError as error:
        raise StatementError("text holds half of a surrogate pair", code="json") from error


def canonical_sha256(value: Json) -> bytes:
    """Return the SHA-256 of `canonical_json(value)`."""
    return hashlib.sha256(canonical_json(value)).digest()


def parse_json(raw: bytes, *, what: str) -> Json:
    """Return the JSON value in `raw`, strictly: UTF-8, no key twice, no floats, nothing after it.

    Args:
        raw: The document.
        what: What the document is, for the error message ("statement").

    Raises:
        StatementError: It is not such a document.
    """
    try:
        value: Json = json.loads(
            raw.decode(), object_pairs_hook=_unique_keys, parse_float=_no_float, parse_constant=_no_float
        )
    except StatementError:
        raise
    except RecursionError as error:
        raise StatementError(f"the {what} is nested too deeply", code="json") from error
    except ValueError as error:  # includes JSONDecodeError, UnicodeDecodeError and integers without end
        raise StatementError(f"the {what} is not JSON", code="json", found=_reason(error)) from error
    return value


def _reason(error: ValueError) -> str:
    return (
        f"{error.msg}, line {error.lineno}"
        if isinstance(error, json.JSONDecodeError)
        else type(error).__name__
    )


def _unique_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StatementError("a key stands twice in one object", code="json")
    return members


def _no_float(text: str) -> Json:
    raise StatementError("numbers here are integers", code="json", found=text[:40])


def _encode(value: Json) -> str:
    match value:
        case str():
            return _quoted(value)
        case bool() | None:
            return _WORDS[value]
        case int():
            if abs(value) > MAX_INTEGER:
                raise StatementError("integer is too large", code="json", wanted=f"at most {MAX_INTEGER}")
            return str(value)
        case dict() | Mapping():
            members = [(_quoted(key), value[key]) for key in _sorted(value)]
            # most values are texts, and those go without a call for each
            parts = [f"{key}:{_quoted(it) if type(it) is str else _encode(it)}" for key, it in members]
            return "{" + ",".join(parts) + "}"
        case list() | tuple():
            return "[" + ",".join([_quoted(it) if type(it) is str else _encode(it) for it in value]) + "]"
        case _:
            raise StatementError("numbers here are integers", code="json", found=type(value).__name__)


def _sorted(keys: Iterable[str]) -> list[str]:
    """Sort as RFC 8785, 3.2.3 says, by UTF-16 code units; that of ASCII is the order of Python."""
    if all(map(str.isascii, keys)):
        return sorted(keys)
    return sorted(keys, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
