"""Truth, and `eq ne lt le gt ge`, as Go's templates define them."""

from typing import Literal

from sealmesh.provisioning.gotemplate.errors import FunctionError
from sealmesh.provisioning.gotemplate.values import (
    ByteSlice,
    Function,
    Integer,
    Map,
    NoValue,
    Slice,
    Struct,
    StructOf,
    Value,
    type_name,
)

__all__ = ["equal", "greater", "greater_or_equal", "is_true", "less", "less_or_equal", "not_equal"]

_Basic = Literal["bool", "int", "float", "complex", "string", "uint"]


def is_true(value: Value) -> bool:
    """Tell whether `if` takes the branch: not zero, not empty, not nil; a struct always."""
    match value:
        case None | NoValue():
            return False
        case bool() | int() | float() | complex() | bytes():
            return bool(value)
        case Integer():
            return value.value != 0
        case ByteSlice():
            return bool(value.data)
        case Slice():
            return bool(value.items)
        case Map():
            return len(value) > 0
        case _:
            return True


def _basic(value: Value) -> _Basic | None:
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case complex():
            return "complex"
        case bytes():
            return "string"
        case Integer():
            return "uint" if value.unsigned else "int"
    return None


def _plain(value: Value) -> Value:
    return value.value if isinstance(value, Integer) else value


def _is_nil(value: Value) -> bool:
    return value is None or isinstance(value, NoValue)


def equal(first: Value, *others: Value) -> bool:
    """Tell whether `first` equals any of `others`.

    Raises:
        FunctionError: There are none, or the types cannot be compared.
    """
    if not others:
        raise FunctionError("missing argument for comparison")
    return any(_equals(first, other) for other in others)


def _equals(first: Value, other: Value) -> bool:
    one, two = _basic(first), _basic(other)
    if one != two:
        if {one, two} == {"int", "uint"}:
            return _plain(first) == _plain(other)
        if not _is_nil(first) and not _is_nil(other):
            raise FunctionError(
                f"incompatible types for comparison: {type_name(first)} and {type_name(other)}"
            )
        return False
    if one is not None:
        return _plain(first) == _plain(other)
    if _is_nil(first) or _is_nil(other):
        return _is_nil(first) and _is_nil(other)
    return _compounds_equal(first, other)


def _compounds_equal(first: Value, other: Value) -> bool:
    if isinstance(first, Struct) != isinstance(other, Struct):
        raise FunctionError(f"non-comparable types {type_name(first)} and {type_name(other)}")
    if isinstance(other, ByteSlice | Slice | Map | Function):
        raise FunctionError(f"non-comparable type {type_name(other)}")
    if isinstance(first, StructOf) and isinstance(other, StructOf) and first.go_type == other.go_type:
        if first.fields.keys() != other.fields.keys():
            return False
        return all(_equals(first.get(name), other.get(name)) for name in first.names())
    raise FunctionError(f"non-comparable type {type_name(other)}")


def not_equal(first: Value, other: Value) -> bool:
    """Tell whether two values differ."""
    return not equal(first, other)


def less(first: Value, other: Value) -> bool:
    """Tell whether `first` comes before `other`; numbers and strings only.

    Raises:
        FunctionError: The types cannot be ordered.
    """
    one, two = _basic(first), _basic(other)
    for value, kind in ((first, one), (other, two)):
        if kind is None:
            raise FunctionError(f"invalid type for comparison: {type_name(value)}")
    if one != two and {one, two} != {"int", "uint"}:
        raise FunctionError(f"incompatible types for comparison: {type_name(first)} and {type_name(other)}")
    if one in ("bool", "complex"):
        raise FunctionError(f"invalid type for comparison: {type_name(first)}")
    return bool(_plain(first) < _plain(other))  # type: ignore[operator]


def less_or_equal(first: Value, other: Value) -> bool:
    """Tell whether `first` is less or equal."""
    return less(first, other) or equal(first, other)


def greater(first: Value, other: Value) -> bool:
    """Tell whether `first` is neither less nor equal."""
    return not less_or_equal(first, other)


def greater_or_equal(first: Value, other: Value) -> bool:
    """Tell whether `first` is not less."""
    return not less(first, other)
