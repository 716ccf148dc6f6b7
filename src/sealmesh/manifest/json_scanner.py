"""A small JSON parser (RFC 8259) that knows where everything stands and reads what Go reads.

As Go's `encoding/json`: strings may not hold control characters, invalid UTF-8 and lone surrogates
become U+FFFD, numbers follow the grammar exactly, names may repeat. With `strict`, invalid UTF-8 and
lone surrogates are refused: two readers could see two different documents.
"""

import re
from bisect import bisect_right

from sealmesh.errors.manifest import JsonError
from sealmesh.manifest.json_values import Array, Boolean, JsonValue, Member, Null, Number, Object, Text
from sealmesh.manifest.limits import MAX_DEPTH, MAX_VALUES

_TOKEN = re.compile(
    r"[ \t\r\n]*+(?:"
    r'"([^"\\\x00-\x1f]*+)"'
    r"|([{}\[\],:])"
    r"|(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)"
    r"|(true|false|null)"
    r'|(")'
    r")"
)
_PLAIN, _MARK, _NUMBER, _WORD, _ESCAPED = range(1, 6)
_SPACE = re.compile(r"[ \t\r\n]*+")
_CHUNK = re.compile(r'[^"\\\x00-\x1f]*+')
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([\"\\/bfnrt]))"
)
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_REPLACEMENT = "\ufffd"
_INVALID_BYTES = dict.fromkeys(range(56448, 56576), _REPLACEMENT)


def decode_text(raw: bytes, *, strict: bool) -> str:
    """Decode UTF-8; each invalid byte becomes U+FFFD, as in Go, unless `strict`.

    Raises:
        JsonError: With `strict`: the text is not UTF-8.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if strict:
            before = raw[: error.start].decode("utf-8", "replace")
            line, column = Lines(before).place(len(before))
            raise JsonError(
                f"byte {error.start} is not UTF-8",
                code="json.not-utf8",
                line=line,
                column=column,
                remedy="Save the file as UTF-8.",
            ) from None
    return raw.decode("utf-8", "surrogateescape").translate(_INVALID_BYTES)


class Lines:
    """Lines and columns of a text, found when first asked for."""

    __slots__ = ("_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] | None = None

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of the character at `offset`, both from 1."""
        if self._starts is None:
            self._starts = [0, *(match.end() for match in re.finditer("\n", self._text))]
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def parse_json(text: str, *, strict: bool, trailing: bool = False, max_values: int = MAX_VALUES) -> JsonValue:
    """Read one JSON value.

    Args:
        text: The document.
        strict: Refuse lone surrogates.
        trailing: Ignore what follows the value.
        max_values: How many values it may have.

    Raises:
        JsonError: Not one well-formed value, or a bound of `limits` is passed.
    """
    scanner = _Scanner(text, strict=strict, budget=max_values)
    value = scanner.value(0)
    if not trailing:
        scanner.expect_end()
    return value


class _Scanner:
    __slots__ = ("_budget", "_position", "_strict", "_text")

    def __init__(self, text: str, *, strict: bool, budget: int) -> None:
        self._text = text
        self._strict = strict
        self._budget = budget
        self._position = 0

    def _next(self, wanted: str) -> re.Match[str]:
        match = _TOKEN.match(self._text, self._position)
        if match is None:
            raise self._unexpected(wanted)
        self._position = match.end()
        return match

    def value(self, depth: int, first: re.Match[str] | None = None) -> JsonValue:
        match = first or self._next("a value")
        index = match.lastindex or 0
        offset = match.start(index)
        self._budget -= 1
        if self._budget < 0:
            raise self._error(offset, "too many values", code="json.too-many-values")
        if index in (_PLAIN, _ESCAPED):
            return Text(self._string(match, index), offset - (index == _PLAIN))
        if index == _NUMBER:
            return Number(match[index], offset)
        if index == _WORD:
            word = match[index]
            return Null(offset) if word == "null" else Boolean(word == "true", offset)
        if match[index] not in "{[":
            raise self._error(offset, f"found {match[index]!r} where a value should be")
        if depth >= MAX_DEPTH:
            raise self._error(offset, f"nested deeper than {MAX_DEPTH} levels", code="json.too-deep")
        return self._object(depth + 1, offset) if match[index] == "{" else self._array(depth + 1, offset)

    def _array(self, depth: int, offset: int) -> Array:
        match = self._next("a value or ']'")
        if match[_MARK] == "]":
            return Array((), offset)
        items = [self.value(depth, match)]
        while True:
            mark = self._next("',' or ']'")
            if mark[_MARK] == "]":
                return Array(tuple(items), offset)
            if mark[_MARK] != ",":
                raise self._unexpected("',' or ']'", mark)
            items.append(self.value(depth))

    def _object(self, depth: int, offset: int) -> Object:
        match = self._next("a name or '}'")
        if match[_MARK] == "}":
            return Object((), offset)
        members: list[Member] = []
        while True:
            index = match.lastindex or 0
            if index not in (_PLAIN, _ESCAPED):
                raise self._unexpected("a name in double quotes", match)
            name_offset = match.start(index) - (index == _PLAIN)
            name = self._string(match, index)
            colon = self._next("':'")
            if colon[_MARK] != ":":
                raise self._unexpected("':'", colon)
            members.append(Member(name, self.value(depth), name_offset))
            mark = self._next("',' or '}'")
            if mark[_MARK] == "}":
                return Object(tuple(members), offset)
            if mark[_MARK] != ",":
                raise self._unexpected("',' or '}'", mark)
            match = self._next("a name in double quotes")

    def _string(self, match: re.Match[str], index: int) -> str:
        return match[index] if index == _PLAIN else self._escaped_string()

    def _escaped_string(self) -> str:
        """Read on behind an opening quote, escape by escape, up to and including the closing quote."""
        parts: list[str] = []
        while True:
            chunk = _CHUNK.match(self._text, self._position)
            if chunk is not None:
                parts.append(chunk[0])
                self._position = chunk.end()
            if self._text[self._position : self._position + 1] == '"':
                self._position += 1
                return "".join(parts)
            escape = _ESCAPE.match(self._text, self._position)
            if escape is None:
                raise self._broken_string()
            parts.append(self._unescape(escape))
            self._position = escape.end()

    def _broken_string(self) -> JsonError:
        character = self._text[self._position : self._position + 1]
        if not character:
            return self._error(self._position, "a text without its closing quote")
        if character == "\\":
            return self._error(self._position, "a backslash that begins no JSON escape")
        return self._error(
            self._position, f"the control character {character!r} in a text must be written as an escape"
        )

    def _unescape(self, escape: re.Match[str]) -> str:
        high, low, single, short = escape.groups()
        if short is not None:
            return _SHORT.get(short, short)
        if high is not None:
            return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF))
        code = int(single, 16)
        if not 0xD800 <= code < 0xE000:
            return chr(code)
        if self._strict:
            raise self._error(escape.start(), "half a surrogate pair", code="json.lone-surrogate")
        return _REPLACEMENT

    def expect_end(self) -> None:
        offset = self._skip_space()
        if offset < len(self._text):
            raise self._error(offset, "there is more after the document's end", code="json.trailing-data")

    def _skip_space(self) -> int:
        match = _SPACE.match(self._text, self._position)
        return match.end() if match else self._position

    def _unexpected(self, wanted: str, match: re.Match[str] | None = None) -> JsonError:
        offset = match.start(match.lastindex or 0) if match else self._skip_space()
        if match is not None and match.lastindex == _PLAIN:
            offset -= 1
        found = repr(self._text[offset]) if offset < len(self._text) else "the end"
        return self._error(offset, f"found {found} where {wanted} should be")

    def _error(self, offset: int, message: str, *, code: str = "json.syntax") -> JsonError:
        line, column = Lines(self._text).place(min(offset, len(self._text)))
        return JsonError(message, code=code, line=line, column=column)
