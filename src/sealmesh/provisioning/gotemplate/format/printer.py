"""One value under one verb, collections included; `print` and `println`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sealmesh.provisioning.gotemplate.errors import FunctionError, TextTooLongError
from sealmesh.provisioning.gotemplate.format.floats import format_complex, format_float
from sealmesh.provisioning.gotemplate.format.integers import format_integer
from sealmesh.provisioning.gotemplate.format.spec import Spec, decode, encode, pad
from sealmesh.provisioning.gotemplate.format.text import format_text
from sealmesh.provisioning.gotemplate.values import (
    ByteSlice,
    Function,
    Integer,
    Map,
    NoValue,
    Slice,
    Struct,
    Value,
    own_text,
    type_name,
)

__all__ = ["Printer", "sorted_keys", "sprint", "sprintln"]

_PLAIN = Spec()


def sorted_keys(value: Map) -> list[bytes | int]:
    """Return the keys in the order in which Go prints and ranges over a map."""
    return sorted(value.keys())


def sprint(values: Sequence[Value], limit: int) -> bytes:
    """Return the values' texts, with a blank between two neighbours neither of which is a string.

    Raises:
        TextTooLongError: More than `limit` bytes.
    """
    printer = Printer(limit)
    was_text = True
    for value in values:
        is_text = isinstance(value, bytes)
        if not is_text and not was_text:
            printer.write(" ")
        printer.show(value)
        was_text = is_text
    return printer.result()


def sprintln(values: Sequence[Value], limit: int) -> bytes:
    """Return the values' texts with a blank between any two, and a newline.

    Raises:
        TextTooLongError: More than `limit` bytes.
    """
    printer = Printer(limit)
    for position, value in enumerate(values):
        if position:
            printer.write(" ")
        printer.show(value)
    printer.write("\n")
    return printer.result()


class Printer:
    """Collects output, up to `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._pieces: list[bytes] = []
        self._left = limit
        self._erring = False

    def write(self, text: str) -> None:
        """Add text."""
        self.write_bytes(encode(text))

    def write_bytes(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            TextTooLongError: The limit is passed.
        """
        self._left -= len(data)
        if self._left < 0:
            raise TextTooLongError("the text becomes too long")
        self._pieces.append(data)

    def result(self) -> bytes:
        """Return what was collected."""
        return b"".join(self._pieces)

    def show(self, value: Value) -> None:
        """Print `value` as `%v` does."""
        if type(value) is bytes:
            self.write_bytes(value)
        else:
            self.argument(_PLAIN, value, "v")

    def argument(self, spec: Spec, value: Value, verb: str) -> None:
        """Print one argument under `verb`."""
        wanted = max(spec.width or 0, 0 if isinstance(value, bytes) else spec.precision or 0)
        if wanted > self._left:
            raise TextTooLongError("the text becomes too long")
        if value is None or isinstance(value, NoValue):
            if verb in "Tv":
                self.write(pad(spec, "<nil>"))
            else:
                self._bad_verb(spec, value, verb)
        elif verb == "T":
            self.write(pad(spec, type_name(value)[: spec.precision]))
        elif verb == "p":
            if isinstance(value, Slice | ByteSlice | Map | Function):
                raise FunctionError("%p would print an address, which differs from run to run")
            self._bad_verb(spec, value, verb)
        elif verb == "w" and not isinstance(value, ByteSlice):
            self._bad_verb(spec, value, verb)
        elif verb == "v" and spec.sharp_v and isinstance(value, ByteSlice) and value.go_type == "[]uint8":
            self._bytes(spec, replace(value, go_type="[]byte"), verb)
        else:
            self._value(spec, value, verb)

    def _value(self, spec: Spec, value: Value, verb: str) -> None:
        if not spec.sharp_v and verb in "vsxXq" and not self._erring:
            text = own_text(value)
            if text is not None:
                value = text
        shown: str | None
        match value:
            case bool():
                shown = pad(spec, "true" if value else "false") if verb in "tv" else None
            case int():
                shown = format_integer(spec, value, verb, unsigned=False)
            case bytes():
                shown = format_text(spec, value, verb)
            case float():
                shown = format_float(spec, value, verb)
            case complex():
                shown = format_complex(spec, value, verb)
            case Integer():
                shown = format_integer(spec, value.value, verb, unsigned=value.unsigned)
            case _:
                self._compound(spec, value, verb)
                return
        if shown is None:
            self._bad_verb(spec, value, verb)
        else:
            self.write(shown)

    def _bad_verb(self, spec: Spec, value: Value, verb: str) -> None:
        self.write(f"%!{verb}(")
        if value is None or isinstance(value, NoValue):
            self.write("<nil>")
        else:
            self.write(type_name(value) + "=")
            was, self._erring = self._erring, True
            self._value(spec, value, "v")
            self._erring = was
        self.write(")")

    # -- collections ------------------------------------------------------------------------------------

    def _compound(self, spec: Spec, value: Value, verb: str) -> None:
        match value:
            case ByteSlice():
                self._bytes(spec, value, verb)
            case Slice():
                opening = (value.go_type + "{", "}") if spec.sharp_v else ("[", "]")
                self._list(spec, value.items, verb, opening)
            case Map():
                self._map(spec, value, verb)
            case Struct():
                self._struct(spec, value, verb)
            case _:
                raise FunctionError(f"cannot print a value of type {type_name(value)}")

    def _bytes(self, spec: Spec, value: ByteSlice, verb: str) -> None:
        if verb in "sqxX":
            self.write(format_text(spec, value.data, verb) or "")
        elif verb in "vd" and not spec.sharp_v and spec == _PLAIN:
            self.write_bytes(b"[" + b" ".join(b"%d" % byte for byte in value.data) + b"]")
        else:
            opening = (value.go_type + "{", "}") if spec.sharp_v else ("[", "]")
            items = [Integer(byte, "uint8", unsigned=True) for byte in value.data]
            self._list(spec, items, verb, opening)

    def _list(self, spec: Spec, items: Iterable[Value], verb: str, marks: tuple[str, str]) -> None:
        self.write(marks[0])
        separator = ", " if spec.sharp_v else " "
        for position, item in enumerate(items):
            if position:
                self.write(separator)
            self._element(spec, item, verb)
        self.write(marks[1])

    def _element(self, spec: Spec, item: Value, verb: str) -> None:
        if item is None or isinstance(item, NoValue):
            self.write("interface {}(nil)" if spec.sharp_v else "<nil>")
        else:
            self._value(spec, item, verb)

    def _map(self, spec: Spec, value: Map, verb: str) -> None:
        self.write(value.go_type + "{" if spec.sharp_v else "map[")
        for position, key in enumerate(sorted_keys(value)):
            if position:
                self.write(", " if spec.sharp_v else " ")
            self._value(spec, key, verb)
            self.write(":")
            self._element(spec, value.lookup(key), verb)
        self.write("}" if spec.sharp_v else "]")

    def _struct(self, spec: Spec, value: Struct, verb: str) -> None:
        self.write(value.go_type + "{" if spec.sharp_v else "{")
        for position, name in enumerate(value.names()):
            if position:
                self.write(", " if spec.sharp_v else " ")
            if spec.plus_v or spec.sharp_v:
                self.write(name + ":")
            self._element(spec, value.get(name), verb)
        self.write("}")


def text_of(value: Value, limit: int) -> str:
    """Return how `value` prints, decoded."""
    return decode(sprint([value], limit))
