"""Find the first PEM block of a text (RFC 7468), whatever stands around it."""

import re
from dataclasses import dataclass

from sealmesh.manifest.gojson import base64_bytes

_BEGIN = re.compile(r"(?:\A|\n)-----BEGIN ([A-Z0-9 ]{1,40})-----[ \t]*\r?\n")
_MAX_ATTEMPTS = 8  # beginnings without an end: each costs a search through the whole text
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}:[^\n]*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class PemBlock:
    """A label and what the block holds."""

    label: str
    data: bytes


def first_block(text: str) -> PemBlock | None:
    """Return the first well-formed block, None where there is none."""
    position = 0
    for _ in range(_MAX_ATTEMPTS):
        begin = _BEGIN.search(text, position)
        if begin is None:
            return None
        position = begin.end() - 1
        start = begin.end()
        end = text.find(f"-----END {begin[1]}-----", start)
        if end < 0:
            continue
        while (header := _HEADER.match(text, start, end)) is not None:
            start = header.end()
        data = base64_bytes("".join(text[start:end].split()))
        if data:
            return PemBlock(label=begin[1], data=data)
    return None
