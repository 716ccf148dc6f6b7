"""Reading CBOR strictly: bounded depth and size, shortest forms, no duplicate keys, nothing left over.

Source: RFC 8949 sections 3, 4.2.1 (shortest heads) and 5.6 (duplicate keys). Indefinite lengths are
accepted for arrays and maps only, because AWS's documents use them; floating-point numbers, `undefined`
and other simple values appear in no Evidence and are refused. `cbor2` is not used for reading: it
accepts duplicate keys, and builds objects out of tags. What is written is deterministic.
"""

from dataclasses import dataclass
from typing import NoReturn

from sealmesh.errors.attestation import EvidenceFormatError

MAX_DEPTH = 16
MAX_ITEMS = 4096
_BREAK = 0xFF
_INDEFINITE = 31
_SIMPLE = {20: False, 21: True, 22: None}


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value with its tag."""

    tag: int
    value: "Value"


Value = int | bytes | str | bool | None | tuple["Value", ...] | dict[int | str, "Value"] | Tagged


def decode(data: bytes, *, subject: str) -> Value:
    """Return the one value that `data` encodes.

    Args:
        data: The whole encoding.
        subject: What it is called in errors.

    Raises:
        EvidenceFormatError: `format:<subject>`.
    """
    decoder = _Decoder(data, subject)
    value = decoder.value(0)
    if decoder.offset != len(data):
        decoder.refuse("trailing bytes")
    return value


class _Decoder:
    __slots__ = ("_data", "_items", "_subject", "offset")

    def __init__(self, data: bytes, subject: str) -> None:
        self._data = data
        self._subject = subject
        self._items = 0
        self.offset = 0

    def refuse(self, problem: str) -> NoReturn:
        raise EvidenceFormatError(
            f"{self._subject} is not strict CBOR: {problem}",
            code=f"format:{self._subject}",
            found=f"at byte {self.offset}",
        )

    def value(self, depth: int) -> Value:
        self._items += 1
        if depth > MAX_DEPTH or self._items > MAX_ITEMS:
            self.refuse("too deep or too many items")
        initial = self._take(1)[0]
        major, additional = initial >> 5, initial & 0x1F
        if major == 7:
            return self._simple(additional)
        if additional == _INDEFINITE:
            return self._container(major, None, depth)
        argument = self._argument(additional)
        match major:
            case 0:
                return argument
            case 1:
                return -1 - argument
            case 2:
                return self._take(argument)
            case 3:
                return self._text(argument)
            case 6:
                return Tagged(argument, self.value(depth + 1))
            case _:
                return self._container(major, argument, depth)

    def _container(self, major: int, count: int | None, depth: int) -> Value:
        """Return an array or map of `count` entries, or up to the break."""
        if major not in (4, 5):
            self.refuse("an indefinite length where none may be")
        if count is not None and count > len(self._data) - self.offset:
            self.refuse("more entries than bytes")
        if major == 4:
            items: list[Value] = []
            while self._more(count, len(items)):
                items.append(self.value(depth + 1))
            return tuple(items)
        entries: dict[int | str, Value] = {}
        while self._more(count, len(entries)):
            key = self.value(depth + 1)
            if isinstance(key, bool) or not isinstance(key, int | str):
                self.refuse("a key that is neither a number nor text")
            if key in entries:
                self.refuse(f"the key {str(key)[:32]!r} stands twice")
            entries[key] = self.value(depth + 1)
        return entries

    def _more(self, count: int | None, have: int) -> bool:
        if count is not None:
            return have < count
        if self._data[self.offset : self.offset + 1] == bytes((_BREAK,)):
            self.offset += 1
            return False
        return True

    def _argument(self, additional: int) -> int:
        if additional < 24:
            return additional
        if additional > 27:
            self.refuse("a reserved length")
        width = 1 << (additional - 24)
        argument = int.from_bytes(self._take(width), "big")
        if argument < 24 or (width > 1 and argument >> 4 * width == 0):
            self.refuse("a number that is not in its shortest form")
        return argument

    def _text(self, length: int) -> str:
        try:
            return self._take(length).decode("utf-8")
        except UnicodeDecodeError:
            self.refuse("text that is not UTF-8")

    def _simple(self, additional: int) -> Value:
        if additional not in _SIMPLE:
            self.refuse("a floating-point number or an unknown simple value")
        return _SIMPLE[additional]

    def _take(self, count: int) -> bytes:
        if count > len(self._data) - self.offset:
            self.refuse("it ends too early")
        start = self.offset
        self.offset += count
        return self._data[start : self.offset]


def encode_head(major: int, argument: int) -> bytes:
    """Return the head of an item in its shortest form."""
    if argument < 24:
        return bytes((major << 5 | argument,))
    for additional, width in ((24, 1), (25, 2), (26, 4)):
        if argument < 1 << 8 * width:
            return bytes((major << 5 | additional,)) + argument.to_bytes(width, "big")
    return bytes((major << 5 | 27,)) + argument.to_bytes(8, "big")


def encode_bytes(data: bytes) -> bytes:
    """Return a byte string's encoding."""
    return encode_head(2, len(data)) + data


def encode_text(text: str) -> bytes:
    """Return a text string's encoding."""
    return encode_head(3, len(text.encode())) + text.encode()


def encode(value: Value) -> bytes:
    """Return the deterministic encoding of a value: shortest heads, keys in their encodings' order.

    Source: RFC 8949 section 4.2.1.
    """
    match value:
        case bool() | None:
            return bytes((0xE0 | next(code for code, simple in _SIMPLE.items() if simple is value),))
        case int():
            return encode_head(0, value) if value >= 0 else encode_head(1, -1 - value)
        case bytes():
            return encode_bytes(value)
        case str():
            return encode_text(value)
        case tuple():
            return encode_head(4, len(value)) + b"".join(map(encode, value))
        case dict():
            entries = sorted((encode(key), encode(inner)) for key, inner in value.items())
            return encode_head(5, len(entries)) + b"".join(key + inner for key, inner in entries)
        case Tagged():
            return encode_head(6, value.tag) + encode(value.value)
