"""How Go's `encoding/json` turns JSON into typed fields (COMPAT section 3).

Field names match in any case, unknown fields are ignored, of repeated fields the last counts (maps
merge), `null` leaves what was there, byte fields are base64 or a list of numbers. `read_object` reads a
request body that way; the manifest's reader uses the scalar rules.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar, cast

from sealmesh.errors.manifest import JsonError
from sealmesh.manifest.json_scanner import Lines, decode_text, parse_json
from sealmesh.manifest.json_values import Array, Boolean, JsonValue, Null, Number, Object, Text, kind_name

_INTEGER = re.compile(r"(-?)(0|[1-9][0-9]*)\Z")
_STANDARD_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}\Z")
_FOLDS = {0x212A: "k", 0x17F: "s"}  # the two characters outside ASCII that Unicode folds into it
_MAX_DIGITS = 20
_T = TypeVar("_T")


def fold(name: str) -> str:
    """Return `name` so that two names that Go takes for the same field are equal."""
    return name.lower() if name.isascii() else name.translate(_FOLDS).lower()


def unsigned(value: Number, bits: int) -> int | None:
    """Return an unsigned integer, None where Go refuses: a sign, a fraction, an exponent, too large."""
    number = signed(value, bits + 1)
    return None if number is None or value.text.startswith("-") else number


def signed(value: Number, bits: int) -> int | None:
    """Return an integer of `bits` with sign, None where Go refuses."""
    match = _INTEGER.match(value.text)
    if match is None or len(match[2]) > _MAX_DIGITS:
        return None
    number = int(value.text)
    return number if -(1 << (bits - 1)) <= number < 1 << (bits - 1) else None


def base64_bytes(text: str) -> bytes | None:
    """Decode standard base64 with padding; line breaks are skipped. None where Go refuses."""
    packed = text.replace("\n", "").replace("\r", "")
    if len(packed) % 4 or not _STANDARD_BASE64.match(packed):
        return None
    return b64decode(packed)


def byte_list(value: Array) -> bytes | None:
    """Return the bytes of a list of numbers 0 to 255 (`null` is 0), None where Go refuses."""
    numbers = [0 if isinstance(item, Null) else _octet(item) for item in value.items]
    return None if None in numbers else bytes(cast("list[int]", numbers))


def _octet(item: JsonValue) -> int | None:
    return unsigned(item, 8) if isinstance(item, Number) else None


@dataclass(frozen=True, slots=True)
class TextKind:
    """A string; default `""`."""


@dataclass(frozen=True, slots=True)
class BytesKind:
    """Bytes; default `b""`."""


@dataclass(frozen=True, slots=True)
class FlagKind:
    """A boolean; default False."""


@dataclass(frozen=True, slots=True)
class UnsignedKind:
    """An unsigned integer; default 0."""

    bits: int = 64


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """An object with known fields; default: all fields at their defaults."""

    fields: "Mapping[str, FieldKind]"


@dataclass(frozen=True, slots=True)
class MapKind:
    """An object with arbitrary names and values of one kind; default empty."""

    of: "FieldKind"


@dataclass(frozen=True, slots=True)
class ListKind:
    """A list of one kind; default empty."""

    of: "FieldKind"


FieldKind = TextKind | BytesKind | FlagKind | UnsignedKind | ObjectKind | MapKind | ListKind

TEXT, BYTES, FLAG, UINT64 = TextKind(), BytesKind(), FlagKind(), UnsignedKind()


@dataclass(frozen=True, slots=True)
class Record:
    """The fields of one object, each there, with its default where the document had none.

    The getters raise `TypeError` when asked for another kind than was declared: that is our own fault.
    """

    values: Mapping[str, object]

    def text(self, name: str) -> str:
        return _of(self.values[name], str)

    def bytes(self, name: str) -> bytes:
        return _of(self.values[name], bytes)

    def flag(self, name: str) -> bool:
        return _of(self.values[name], bool)

    def unsigned(self, name: str) -> int:
        return _of(self.values[name], int)

    def record(self, name: str) -> "Record":
        return _of(self.values[name], Record)

    def records(self, name: str) -> "Mapping[str, Record]":
        """Return a map of objects by name."""
        return {key: _of(value, Record) for key, value in _of(self.values[name], MappingProxyType).items()}

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(_of(item, str) for item in _of(self.values[name], tuple))


def _of(value: object, wanted: type[_T]) -> _T:
    if not isinstance(value, wanted):
        raise TypeError(f"the field is declared as another kind than {wanted.__name__}")
    return value


def read_object(raw: bytes, fields: Mapping[str, FieldKind], *, trailing: bool = True) -> Record:
    """Read one JSON object as Go would decode it into a struct with `fields`.

    `null` as the whole document gives all defaults.

    Args:
        raw: The document; its size is the caller's to bound.
        fields: Go's field name (any case matches) to the kind of its value.
        trailing: Ignore what follows the object, as `json.Decoder` does.

    Raises:
        JsonError: Not JSON (`json.syntax`, ...) or a value of another kind (`json.wrong-type`).
    """
    text = decode_text(raw, strict=False)
    try:
        return _Reader(text).record(parse_json(text, strict=False, trailing=trailing), fields)
    except _WrongType as error:
        line, column = Lines(text).place(error.offset)
        raise JsonError(str(error), code="json.wrong-type", line=line, column=column) from None


class _WrongType(Exception):
    def __init__(self, value: JsonValue, name: str, wanted: str) -> None:
        super().__init__(f"field {name!r} is {kind_name(value)}, not {wanted}")
        self.offset = value.offset


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def record(self, value: JsonValue, fields: Mapping[str, FieldKind], name: str = "$") -> Record:
        found = {field: _default(kind) for field, kind in fields.items()}
        self._merge(value, fields, found, name)
        return Record(MappingProxyType(found))

    def _merge(
        self, value: JsonValue, fields: Mapping[str, FieldKind], found: dict[str, object], name: str
    ) -> None:
        if isinstance(value, Null):
            return
        if not isinstance(value, Object):
            raise _WrongType(value, name, "an object")
        folded = {fold(field): field for field in fields}
        for member in value.members:
            field = member.name if member.name in fields else folded.get(fold(member.name))
            if field is not None:
                found[field] = self._read(member.value, fields[field], found[field], field)

    def _read(self, value: JsonValue, kind: FieldKind, before: object, name: str) -> object:
        if isinstance(value, Null):
            return (
                before
                if isinstance(kind, TextKind | FlagKind | UnsignedKind | ObjectKind)
                else _default(kind)
            )
        match kind, value:
            case TextKind(), Text(text, _):
                return text
            case FlagKind(), Boolean(flag, _):
                return flag
            case UnsignedKind(bits), Number() if (number := unsigned(value, bits)) is not None:
                return number
            case BytesKind(), Text(text, _) if (data := base64_bytes(text)) is not None:
                return data
            case BytesKind(), Array() if (data := byte_list(value)) is not None:
                return data
            case ObjectKind(fields), Object():
                found = dict(_of(before, Record).values)
                self._merge(value, fields, found, name)
                return Record(MappingProxyType(found))
            case MapKind(of), Object():
                items = dict(_of(before, MappingProxyType))
                for member in value.members:
                    items[member.name] = self._read(member.value, of, _default(of), f"{name}.{member.name}")
                return MappingProxyType(items)
            case ListKind(of), Array(members, _):
                return tuple(self._read(item, of, _default(of), name) for item in members)
        raise _WrongType(value, name, _WANTED[type(kind)])


def _default(kind: FieldKind) -> object:
    match kind:
        case TextKind():
            return ""
        case BytesKind():
            return b""
        case FlagKind():
            return False
        case UnsignedKind():
            return 0
        case ObjectKind(fields):
            return Record(MappingProxyType({field: _default(inner) for field, inner in fields.items()}))
        case MapKind():
            return MappingProxyType({})
        case ListKind():
            return ()


_WANTED: dict[type, str] = {
    TextKind: "a text",
    BytesKind: "base64 or a list of bytes",
    FlagKind: "a boolean",
    UnsignedKind: "an unsigned integer of its size",
    ObjectKind: "an object",
    MapKind: "an object",
    ListKind: "a list",
}
