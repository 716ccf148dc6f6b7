"""Paths and queries as Go's `net/http` and `net/url` read them."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from sealmesh.errors.transport import QueryRefused

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_URL_BASE64 = re.compile(r"[A-Za-z0-9_-]*={0,2}\Z")


def decode_path(path: str) -> str | None:
    """Return the percent-decoded path; None where an escape is broken."""
    if _BROKEN_ESCAPE.search(path):
        return None
    return unquote_to_bytes(path.encode("latin-1")).decode("utf-8", "surrogateescape")


def clean_path(path: str) -> str:
    """Return a decoded path without empty, `.` and `..` segments; a slash at the end stays."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    clean = "/" + "/".join(kept)
    return clean + "/" if segments[-1] == "" and kept else clean


def encode_path(path: str) -> str:
    """Return a decoded path as it may stand in a Location header."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/:@!$&'()*+,;=-._~")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One `name=value` of a query, decoded."""

    name: str
    value: str


class Query:
    """The parameters of a query, in order. A part with `;` or a broken escape counts as absent."""

    def __init__(self, raw: str) -> None:
        self._parameters = tuple(filter(None, map(_parameter, raw.split("&"))))

    def first(self, name: str) -> str:
        """Return the first value of `name`, empty if there is none."""
        return next((p.value for p in self._parameters if p.name == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of `name`."""
        return tuple(p.value for p in self._parameters if p.name == name)

    def base64(self, name: str) -> bytes:
        """Return the first value of `name` as bytes out of padded base64 of the URL alphabet.

        Raises:
            QueryRefused: It is none.
        """
        text = self.first(name).replace("\r", "").replace("\n", "")
        try:
            if len(text) % 4 or not _URL_BASE64.match(text):
                raise Base64Error
            return b64decode(text, altchars=b"-_")
        except Base64Error as error:
            raise QueryRefused(f"`{name}` is not base64", wanted="URL alphabet, padded") from error


def _parameter(part: str) -> Parameter | None:
    if not part or ";" in part:
        return None
    name, _, value = part.partition("=")
    if _BROKEN_ESCAPE.search(name) or _BROKEN_ESCAPE.search(value):
        return None
    return Parameter(name=_decode(name), value=_decode(value))


def _decode(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8", "surrogateescape")
