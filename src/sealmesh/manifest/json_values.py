"""JSON values with the place where each stands.

Offsets are in characters of the decoded text. Numbers keep their spelling, because Go decides by the
spelling whether one fits an integer field.
"""

from typing import NamedTuple


class Null(NamedTuple):
    """`null`."""

    offset: int


class Boolean(NamedTuple):
    """`true` or `false`."""

    value: bool
    offset: int


class Number(NamedTuple):
    """A number as it is spelled."""

    text: str
    offset: int


class Text(NamedTuple):
    """A string, unescaped."""

    value: str
    offset: int


class Array(NamedTuple):
    """A list."""

    items: "tuple[JsonValue, ...]"
    offset: int


class Member(NamedTuple):
    """One name and value of an object; names may repeat."""

    name: str
    value: "JsonValue"
    offset: int


class Object(NamedTuple):
    """An object, its members in order."""

    members: tuple[Member, ...]
    offset: int


JsonValue = Null | Boolean | Number | Text | Array | Object

_NAMES: dict[type, str] = {
    Null: "null",
    Boolean: "a boolean",
    Number: "a number",
    Text: "a text",
    Array: "a list",
    Object: "an object",
}


def kind_name(value: JsonValue) -> str:
    """Return what `value` is, in words."""
    return _NAMES[type(value)]
