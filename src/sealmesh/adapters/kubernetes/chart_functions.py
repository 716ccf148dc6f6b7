"""The functions that charts have besides Go's own: those of Helm's that ours needs, and their near kin.

Source: Helm's documentation, "Template Function List". A chart that uses another one is refused by name.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import yaml

from sealmesh.provisioning.gotemplate import (
    MAX_OUTPUT,
    ByteSlice,
    Function,
    FunctionError,
    Integer,
    Map,
    NoValue,
    Parameter,
    Slice,
    Struct,
    Value,
    from_python,
)
from sealmesh.provisioning.gotemplate.format import sprint

ANY, STRING, INT = Parameter.ANY, Parameter.STRING, Parameter.INT


def plain(value: Value) -> Any:
    """Return a template's value as Python data of JSON's shape."""
    match value:
        case bytes():
            return value.decode()
        case ByteSlice():
            return base64.b64encode(value.data).decode()
        case Slice():
            return [plain(item) for item in value.items]
        case Map():
            return {_key(key): plain(value.lookup(key)) for key in value.keys()}  # noqa: SIM118
        case Integer():
            return value.value
        case None | NoValue():
            return None
        case Struct():
            return {name: plain(value.get(name)) for name in value.names()}
        case bool() | int() | float():
            return value
    raise FunctionError(f"a chart cannot use a {type(value).__name__}")


def _key(key: bytes | int) -> str:
    return key.decode() if isinstance(key, bytes) else str(key)


def _text(value: Value) -> str:
    return value.decode() if isinstance(value, bytes) else sprint([value], MAX_OUTPUT).decode()


def _empty(value: Value) -> bool:
    return isinstance(value, NoValue) or (not isinstance(value, Struct | Function) and not plain(value))


def _quote(*values: Value) -> Value:
    return b" ".join(
        json.dumps(_text(item), ensure_ascii=False).encode() for item in values if item is not None
    )


def _squote(*values: Value) -> Value:
    return b" ".join(f"'{_text(item)}'".encode() for item in values if item is not None)


def _dict(*pairs: Value) -> Value:
    return from_python({_text(key): value for key, value in zip(pairs[::2], pairs[1::2], strict=True)})


def _indent(width: int, text: bytes) -> bytes:
    pad = b" " * width
    return pad + text.replace(b"\n", b"\n" + pad)


def _to_yaml(value: Value) -> Value:
    text: str = yaml.safe_dump(plain(value), default_flow_style=False, allow_unicode=True)
    return text.removesuffix("\n...\n").rstrip("\n").encode()


def _to_json(value: Value) -> Value:
    text = json.dumps(plain(value), separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for character in "<>&\u2028\u2029":  # as Go's encoder
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def _required(message: bytes, value: Value) -> Value:
    if value is None or value == b"":
        raise FunctionError(message.decode())
    return value


def _fail(message: bytes) -> Value:
    raise FunctionError(message.decode())


def _integer(value: Value) -> Value:
    try:
        return Integer(int(_text(value)))
    except ValueError:
        return Integer(0)


def _trunc(length: int, text: bytes) -> Value:
    return (text.decode()[length:] if length < 0 else text.decode()[:length]).encode()


_FUNCTIONS: Final[Mapping[str, tuple[Callable[..., Value], tuple[str, ...], str | None]]] = {
    "default": (lambda fallback, value: fallback if _empty(value) else value, (ANY, ANY), None),
    "empty": (_empty, (ANY,), None),
    "coalesce": (lambda *values: next((item for item in values if not _empty(item)), None), (), ANY),
    "ternary": (lambda yes, no, test: yes if test is True else no, (ANY, ANY, ANY), None),
    "list": (lambda *values: Slice(tuple(values)), (), ANY),
    "dict": (_dict, (), ANY),
    "quote": (_quote, (), ANY),
    "squote": (_squote, (), ANY),
    "indent": (_indent, (INT, STRING), None),
    "nindent": (lambda width, text: b"\n" + _indent(width, text), (INT, STRING), None),
    "toYaml": (_to_yaml, (ANY,), None),
    "toJson": (_to_json, (ANY,), None),
    "toString": (lambda value: _text(value).encode(), (ANY,), None),
    "int": (_integer, (ANY,), None),
    "required": (_required, (STRING, ANY), None),
    "fail": (_fail, (STRING,), None),
    "trim": (lambda text: text.strip(), (STRING,), None),
    "trimSuffix": (lambda suffix, text: text.removesuffix(suffix), (STRING, STRING), None),
    "trimPrefix": (lambda prefix, text: text.removeprefix(prefix), (STRING, STRING), None),
    "trunc": (_trunc, (INT, STRING), None),
    "replace": (lambda old, new, text: text.replace(old, new), (STRING, STRING, STRING), None),
    "contains": (lambda part, text: part in text, (STRING, STRING), None),
    "hasPrefix": (lambda prefix, text: text.startswith(prefix), (STRING, STRING), None),
    "lower": (lambda text: text.lower(), (STRING,), None),
    "upper": (lambda text: text.upper(), (STRING,), None),
    "b64enc": (lambda text: base64.b64encode(text), (STRING,), None),
    "join": (lambda joint, items: joint.join(_text(i).encode() for i in items.items), (STRING, ANY), None),
}  # fmt: skip


def _guarded(name: str, call: Callable[..., Value]) -> Callable[..., Value]:
    """Return `call`; what it cannot take is the chart's fault."""

    def guarded(*values: Value) -> Value:
        try:
            return call(*values)
        except (TypeError, ValueError, AttributeError) as error:
            raise FunctionError(f"{name} cannot take this") from error

    return guarded


#: By name, for `Template.parse`; `include` is the chart's own (it needs the chart's definitions).
CHART_FUNCTIONS: Final[Mapping[str, Function]] = {
    name: Function(call=_guarded(name, call), parameters=parameters, variadic=variadic)
    for name, (call, parameters, variadic) in _FUNCTIONS.items()
}
