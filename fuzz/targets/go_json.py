"""The reader of JSON by Go's rules: it never crashes, and takes exactly what is JSON."""

import json

from fuzz.target import Target
from sealmesh.errors.manifest import JsonError
from sealmesh.manifest.json_scanner import decode_text, parse_json


def _read(raw: bytes) -> None:
    text = decode_text(raw, strict=False)
    try:
        parse_json(text, strict=False)
        ours = True
    except JsonError:
        ours = False
    if "[" * 100 not in text and "{" not in text:  # how deep it goes differs, and is bounded
        assert ours == _standard(text), f"ours {ours}"
    parse_json(decode_text(raw, strict=True), strict=True)


def _standard(text: str) -> bool:
    """Return whether the standard library takes the text."""

    def constant(name: str) -> object:
        raise ValueError(name)

    try:
        json.loads(text, parse_constant=constant, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


TARGET = Target(
    run=_read,
    seeds=lambda: {
        "object": b'{"a":[1,-2.5e-3,true,false,null,"x\\n\\u00e9\\ud83d\\ude00"],"b":{}}',
        "number": b"-0.0E+10",
        "text": '"h\u00e9llo"'.encode(),
    },
    words=(
        b"\\ud800",
        b"\\u",
        b"1e",
        b"-0",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"Infinity",
        b"NaN",
        b"true",
        b"null",
    ),
    longest=4096,
)
