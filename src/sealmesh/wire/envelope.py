"""The envelope of every answer on MarbleRun's routes (COMPAT section 3), and the one of our own errors."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sealmesh.errors import SealmeshError, http_status

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"

_JSON = (("content-type", "application/json"),)
_TEXT = (("content-type", "text/plain; charset=utf-8"), ("x-content-type-options", "nosniff"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer: status, headers with lower-case names, body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def success(data: Json) -> Answer:
    """Return 200 with `data`."""
    return Answer(status=200, headers=_JSON, body=_document("success", data, None))


def fail(status: int, message: str, data: Json = None) -> Answer:
    """Return a refusal of the request's form or of the caller, as v2 words it."""
    return Answer(status=status, headers=_JSON, body=_document("fail", data, message))


def error(status: int, message: str | None = None) -> Answer:
    """Return any other refusal, and every refusal of v1."""
    return Answer(status=status, headers=_TEXT, body=_document("error", None, message))


def own_error(refusal: SealmeshError) -> Answer:
    """Return a refusal on our own routes: `{"error": {"code", "message", "found", "wanted", "remedy"}}`."""
    body = _encoded({"error": refusal.as_dict()})
    return Answer(status=http_status(refusal.kind), headers=_JSON, body=body)


def _document(status: str, data: Json, message: str | None) -> bytes:
    document: dict[str, Json] = {"status": status, "data": data}
    if message:
        document["message"] = message
    return _encoded(document)


def _encoded(document: Mapping[str, Json]) -> bytes:
    text = json.dumps(document, separators=(",", ":"))  # ASCII: a lone surrogate cannot break it
    return text.encode("ascii") + b"\n"
