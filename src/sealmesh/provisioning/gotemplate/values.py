r"""Go's values as a template sees them.

| Go | here |
|---|---|
| string | `bytes` (Go's strings are bytes) |
| bool, int, float64, complex128 | `bool`, `int`, `float`, `complex` |
| other integer types, named or not | `Integer` |
| []byte and types made from it | `ByteSlice` |
| other slices | `Slice` |
| maps | a subclass of `Map`, or `MapOf` |
| structs | a subclass of `Struct`, or `StructOf` |
| nil in an interface | `None` |
| no value at all (reflect's zero Value: a key that is not there) | `NO_VALUE` |

`from_python` turns Python data of JSON's shape into these.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

__all__ = [
    "NO_VALUE",
    "ByteSlice",
    "Function",
    "Integer",
    "Map",
    "MapOf",
    "NoValue",
    "Parameter",
    "Slice",
    "Struct",
    "StructOf",
    "Value",
    "from_python",
    "own_text",
    "type_name",
]


class NoValue:
    """The type of `NO_VALUE`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NO_VALUE"


NO_VALUE: Final = NoValue()


@dataclass(frozen=True, slots=True)
class Integer:
    """An integer of another type than `int`; `text` is what its String method says."""

    value: int
    go_type: str = "int64"
    unsigned: bool = False
    text: bytes | None = None


@dataclass(frozen=True, slots=True)
class ByteSlice:
    """Bytes that are not a string: `[]uint8` and types made from it, such as `net.IP`."""

    data: bytes
    go_type: str = "[]uint8"
    text: bytes | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice or array of anything but bytes."""

    items: "Sequence[Value]"
    go_type: str = "[]interface {}"
    is_array: bool = False


class Map:
    """A map with string or int keys; this one is empty. Subclasses may make their values on demand."""

    __slots__ = ()
    go_type: str = "map[string]interface {}"
    #: What `index` gives for a key that is not there.
    zero: "Value" = None

    def lookup(self, key: bytes | int) -> "Value":
        """Return the value under `key`, NO_VALUE if there is none."""
        return NO_VALUE

    def keys(self) -> Iterable[bytes | int]:
        """Return all keys, in any order."""
        return ()

    def __len__(self) -> int:
        return 0


class Struct:
    """A struct; this one has no fields. Subclasses may make theirs on demand."""

    __slots__ = ()
    go_type: str = "struct"

    def names(self) -> Sequence[str]:
        """Return the names of the exported fields, in order."""
        return ()

    def get(self, name: str) -> "Value":
        """Return a field.

        Raises:
            KeyError: There is none of that name.
            FunctionError: It cannot be made.
        """
        raise KeyError(name)

    def method(self, name: str) -> "Function | None":
        """Return a method bound to this value, None when there is none of that name."""
        return None

    def text(self) -> bytes | None:
        """Return what the String method says, None when there is no such method."""
        return None


class Parameter:
    """Types of the parameters of a template function."""

    ANY = "interface {}"
    """Any value; no value at all arrives as None."""
    VALUE = "reflect.Value"
    """Any value as it is, NO_VALUE included."""
    STRING = "string"
    INT = "int"


@dataclass(frozen=True, slots=True)
class Function:
    """A function that templates may call.

    Attributes:
        call: Gets the values in order; raises `FunctionError` to refuse.
        parameters: One of `Parameter` for each fixed parameter.
        variadic: The type of any number of further ones, None when there are none.
        lazy: `and` and `or`: the executor evaluates arguments only as far as needed.
    """

    call: "Callable[..., Value]"
    parameters: tuple[str, ...] = ()
    variadic: str | None = None
    lazy: str | None = None
    go_type: str = "func()"


Value: TypeAlias = (
    NoValue
    | bool
    | int
    | float
    | complex
    | bytes
    | Integer
    | ByteSlice
    | Slice
    | Map
    | Struct
    | Function
    | None
)


@dataclass(frozen=True, slots=True, eq=False)
class MapOf(Map):
    """A map that is all there."""

    entries: Mapping[bytes | int, Value]
    go_type: str = "map[string]interface {}"
    zero: Value = None

    def lookup(self, key: bytes | int) -> Value:
        return self.entries.get(key, NO_VALUE)

    def keys(self) -> Iterable[bytes | int]:
        return self.entries.keys()

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True, eq=False)
class StructOf(Struct):
    """A struct that is all there."""

    fields: Mapping[str, Value]
    go_type: str = "struct"
    string: bytes | None = None
    methods: Mapping[str, Function] = field(default_factory=dict)

    def names(self) -> Sequence[str]:
        return tuple(self.fields)

    def get(self, name: str) -> Value:
        return self.fields[name]

    def method(self, name: str) -> Function | None:
        return self.methods.get(name)

    def text(self) -> bytes | None:
        return self.string


def type_name(value: Value) -> str:
    """Return the name of the value's Go type; `<nil>` for nil and for no value."""
    match value:
        case None | NoValue():
            return "<nil>"
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float64"
        case complex():
            return "complex128"
        case bytes():
            return "string"
        case _:
            return value.go_type


def own_text(value: Value) -> bytes | None:
    """Return what the value's String method says, None if it has none."""
    if isinstance(value, Integer | ByteSlice):
        return value.text
    return value.text() if isinstance(value, Struct) else None


def from_python(value: object) -> Value:
    """Turn None, bool, int, float, complex, str, bytes, lists and dicts with str keys into values.

    Values of this module pass unchanged; `bytes` become `[]uint8`, `str` a string.

    Raises:
        TypeError: There is something else inside.
    """
    match value:
        case (
            None
            | bool()
            | int()
            | float()
            | complex()
            | NoValue()
            | Integer()
            | ByteSlice()
            | Slice()
            | Map()
        ):
            return value
        case Struct() | Function():
            return value
        case str():
            return value.encode("utf-8", "surrogateescape")
        case bytes():
            return ByteSlice(value)
        case Mapping():
            return MapOf(
                {
                    str(key).encode("utf-8", "surrogateescape"): from_python(item)
                    for key, item in value.items()
                }
            )
        case list() | tuple():
            return Slice(tuple(from_python(item) for item in value))
    raise TypeError(f"a template cannot use a {type(value).__name__}")
