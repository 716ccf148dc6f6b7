"""The functions that every template has. Source: documentation of Go's `text/template`, "Functions"."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sealmesh.provisioning.gotemplate import comparison, escaping
from sealmesh.provisioning.gotemplate.errors import FunctionError
from sealmesh.provisioning.gotemplate.format import sprint, sprintf, sprintln
from sealmesh.provisioning.gotemplate.values import (
    ByteSlice,
    Function,
    Integer,
    Map,
    NoValue,
    Parameter,
    Slice,
    Value,
    type_name,
)

__all__ = ["BUILTINS", "MAX_OUTPUT"]

#: Bytes that one template may write, and one function may return. Reason: files and variables travel in one
#: gRPC message, and peers take 4 MiB of it.
MAX_OUTPUT = 4 * 1024 * 1024


def _offset(index: Value, length: int) -> int:
    if isinstance(index, Integer):
        index = index.value
    if index is None or isinstance(index, NoValue):
        raise FunctionError("cannot index slice/array with nil")
    if type(index) is not int:
        raise FunctionError(f"cannot index slice/array with type {type_name(index)}")
    if not 0 <= index <= length:
        raise FunctionError(f"index out of range: {index}")
    return index


def _length(value: Value) -> int:
    match value:
        case bytes():
            return len(value)
        case ByteSlice():
            return len(value.data)
        case Slice():
            return len(value.items)
        case Map():
            return len(value)
        case None | NoValue():
            raise FunctionError("len of nil")
    raise FunctionError(f"len of type {type_name(value)}")


def _index(item: Value, *indexes: Value) -> Value:
    if item is None or isinstance(item, NoValue):
        raise FunctionError("index of untyped nil")
    for index in indexes:
        item = _indexed(item, index)
    return item


def _indexed(item: Value, index: Value) -> Value:
    match item:
        case Map():
            return _entry(item, index)
        case bytes() | ByteSlice():
            data = item if isinstance(item, bytes) else item.data
            position = _offset(index, len(data))
            if position == len(data):
                raise FunctionError(f"index out of range: {position}")
            return Integer(data[position], "uint8", unsigned=True)
        case Slice():
            position = _offset(index, len(item.items))
            if position == len(item.items):
                raise FunctionError(f"index out of range: {position}")
            return item.items[position]
        case None | NoValue():
            raise FunctionError("index of nil pointer")
    raise FunctionError(f"can't index item of type {type_name(item)}")


def _entry(item: Map, index: Value) -> Value:
    wanted = bytes if item.go_type.startswith("map[string]") else int
    if isinstance(index, Integer):
        index = index.value
    if index is None or isinstance(index, NoValue):
        raise FunctionError("value is nil; should be the type of the map's keys")
    if type(index) is not wanted:
        raise FunctionError(f"value has type {type_name(index)}; should be the type of the map's keys")
    found = item.lookup(index)
    return item.zero if isinstance(found, NoValue) else found


def _slice(item: Value, *indexes: Value) -> Value:
    if item is None or isinstance(item, NoValue):
        raise FunctionError("slice of untyped nil")
    if not isinstance(item, bytes | ByteSlice | Slice):
        raise FunctionError(f"can't slice item of type {type_name(item)}")
    if len(indexes) > 3 or (len(indexes) == 3 and isinstance(item, bytes)):
        raise FunctionError(f"too many slice indexes: {len(indexes)}")
    length = _length(item)
    bounds = [_offset(index, length) for index in indexes]
    if bounds != sorted(bounds):
        raise FunctionError(f"invalid slice index: {bounds}")
    start, stop = ([*bounds, 0])[0], bounds[1] if len(bounds) > 1 else length
    if isinstance(item, bytes):
        return item[start:stop]
    if isinstance(item, ByteSlice):
        return ByteSlice(item.data[start:stop], item.go_type)
    return Slice(item.items[start:stop], item.go_type)


def _call(function: Value, *arguments: Value) -> Value:
    if not isinstance(function, Function):
        what = "nil" if function is None or isinstance(function, NoValue) else f"type {type_name(function)}"
        raise FunctionError(f"call of non-function {what}")
    fixed = len(function.parameters)
    if len(arguments) < fixed or (len(arguments) > fixed and function.variadic is None):
        raise FunctionError(f"wrong number of args: got {len(arguments)} want {fixed}")
    wanted = [*function.parameters, *[str(function.variadic)] * (len(arguments) - fixed)]
    for argument, kind in zip(arguments, wanted, strict=True):
        if kind in (Parameter.STRING, Parameter.INT) and type_name(argument) != kind:
            raise FunctionError(f"value has type {type_name(argument)}; should be {kind}")
    return function.call(*arguments)


def _text(values: tuple[Value, ...]) -> bytes:
    """Return the arguments of an escaping function as one string."""
    if len(values) == 1 and isinstance(values[0], bytes):
        return values[0]
    return sprint([_printable(value) for value in values], MAX_OUTPUT)


def _printable(value: Value) -> Value:
    if isinstance(value, Function):
        raise FunctionError(f"can't print a value of type {type_name(value)}")
    return b"<no value>" if value is None or isinstance(value, NoValue) else value


def _sprintf(template: Value, *values: Value) -> Value:
    if not isinstance(template, bytes):
        raise FunctionError("the format must be a string")
    return sprintf(template, values, MAX_OUTPUT)


def _make() -> dict[str, Function]:
    value, anything, text = Parameter.VALUE, Parameter.ANY, Parameter.STRING

    def many(call: Callable[..., Value]) -> Function:
        return Function(call, (), anything)

    def two(call: Callable[..., Value]) -> Function:
        return Function(call, (value, value))

    def never(*_: Value) -> Value:
        raise AssertionError("the executor evaluates and/or itself")

    return {
        "and": Function(never, (value,), value, lazy="and"),
        "or": Function(never, (value,), value, lazy="or"),
        "not": Function(lambda item: not comparison.is_true(item), (value,)),
        "eq": Function(comparison.equal, (value,), value),
        "ne": two(comparison.not_equal),
        "lt": two(comparison.less),
        "le": two(comparison.less_or_equal),
        "gt": two(comparison.greater),
        "ge": two(comparison.greater_or_equal),
        "len": Function(_length, (value,)),
        "index": Function(_index, (value,), value),
        "slice": Function(_slice, (value,), value),
        "call": Function(_call, (value,), value),
        "print": many(lambda *items: sprint(items, MAX_OUTPUT)),
        "printf": Function(_sprintf, (text,), anything),
        "println": many(lambda *items: sprintln(items, MAX_OUTPUT)),
        "html": many(lambda *items: escaping.escape_html(_text(items))),
        "js": many(lambda *items: escaping.escape_js(_text(items))),
        "urlquery": many(lambda *items: escaping.escape_query(_text(items))),
    }


BUILTINS: Mapping[str, Function] = MappingProxyType(_make())
