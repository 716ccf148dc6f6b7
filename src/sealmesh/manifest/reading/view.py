"""One object of the document, read as Go reads it into a struct.

Names match in any case. Strict reading refuses unknown and repeated names; lenient reading ignores the
former and merges the latter as Go does: of scalars the last counts, objects and maps merge, `null`
leaves a scalar and empties a map or list.
"""

from collections.abc import Container, Iterator
from difflib import get_close_matches

from sealmesh.manifest.fields import Shape
from sealmesh.manifest.gojson import base64_bytes, byte_list, fold, signed, unsigned
from sealmesh.manifest.json_values import (
    Array,
    Boolean,
    JsonValue,
    Member,
    Null,
    Number,
    Object,
    Text,
    kind_name,
)
from sealmesh.manifest.model import FeatureGate
from sealmesh.manifest.report import Path, Report, listing, quoted


class Reading:
    """What all readers of one document share."""

    __slots__ = ("_faulty", "gates", "lenient", "report")

    def __init__(self, report: Report, *, lenient: bool) -> None:
        self.report = report
        self.lenient = lenient
        self.gates: frozenset[FeatureGate] = frozenset()
        self._faulty: set[tuple[str, str | None]] = set()

    def mark_faulty(self, section: str, name: str | None = None) -> None:
        """Remember that a thing, or a whole section, could not be read: no check may build on it."""
        self._faulty.add((section, name))

    def sound(self, section: str, name: str | None = None) -> bool:
        """Tell whether a thing, or with no name all things of a section, could be read."""
        if name is None:
            return all(faulty != section for faulty, _ in self._faulty)
        return (section, name) not in self._faulty

    def exists(self, section: str, name: str, things: Container[str]) -> bool:
        """Tell whether a thing is there, also if it could not be read."""
        return name in things or (section, name) in self._faulty or (section, None) in self._faulty

    def wrong_type(self, value: JsonValue, path: Path, wanted: str) -> None:
        self.report.add(
            "wrong-type",
            path,
            f"This is {kind_name(value)}; {wanted} is wanted.",
            offset=value.offset,
            remedy=_TYPE_REMEDIES.get((type(value), wanted), ""),
        )


_TYPE_REMEDIES: dict[tuple[type, str], str] = {
    (Number, "a text"): "Put it in double quotes.",
    (Text, "a boolean"): "Write true or false without quotes.",
    (Text, "an unsigned integer"): "Write the number without quotes.",
    (Text, "a list"): "Put it in square brackets.",
}


def _closest(name: str, shape: Shape) -> str:
    folded = {fold(field): field for field in shape.fields}
    close = get_close_matches(fold(name[:100]), folded, n=1)
    if close:
        return f"Did you mean {folded[close[0]]!r}?"
    return f"Known are {listing(shape.fields, limit=12)}."


class View:
    """The fields of one object; every getter reports what is wrong and then returns the default."""

    __slots__ = ("_found", "_reading", "path")

    def __init__(self, reading: Reading, value: JsonValue, path: Path, shape: Shape) -> None:
        self._reading = reading
        self.path = path
        self._found: dict[str, list[JsonValue]] = {}
        if isinstance(value, Object):
            self._sort(value.members, shape)
        elif not isinstance(value, Null):
            reading.wrong_type(value, path, "an object")

    def _sort(self, members: tuple[Member, ...], shape: Shape) -> None:
        for member in members:
            name = member.name
            if name not in shape.fields:
                name = shape.folded.get(fold(name), "")
                if name in shape.ignored:
                    continue
                if not name:
                    self._unknown(member, shape)
                    continue
            before = self._found.get(name)
            if before is None:
                self._found[name] = [member.value]
                self._check_gate(member, name, shape)
            elif self._reading.lenient:
                before.append(member.value)
            else:
                self._repeated(member)

    def _check_gate(self, member: Member, name: str, shape: Shape) -> None:
        gate = shape.fields[name].gate
        if gate is not None and gate not in self._reading.gates:
            self._reading.report.add(
                "gate.missing",
                (*self.path, member.name),
                f"{name!r} is an addition of sealmesh and needs the feature gate {str(gate)!r}.",
                offset=member.offset,
                remedy=f'Add "{gate}" to Config.FeatureGates: MarbleRun then refuses the manifest instead of '
                "ignoring the field.",
            )

    def _unknown(self, member: Member, shape: Shape) -> None:
        if self._reading.lenient:
            return
        self._reading.report.add(
            "unknown-key",
            (*self.path, member.name),
            f"{quoted(member.name)} is not a field of {shape.name}.",
            offset=member.offset,
            remedy="" if self._reading.report.full else _closest(member.name, shape),
        )

    def _repeated(self, member: Member) -> None:
        self._reading.report.add(
            "duplicate-key",
            (*self.path, member.name),
            f"{quoted(member.name)} stands here a second time.",
            offset=member.offset,
            remedy="Keep one of the two; readers differ in which one counts.",
        )

    def has(self, name: str) -> bool:
        """Tell whether the document gives this field a value other than `null`."""
        return any(not isinstance(value, Null) for value in self._found.get(name, ()))

    def at(self, name: str) -> Path:
        """Return the field's path."""
        return (*self.path, name)

    def values(self, name: str) -> list[JsonValue]:
        """Return all values that the document gives this field."""
        return self._found.get(name, [])

    def text(self, name: str) -> str:
        text = ""
        for value in self.values(name):
            if isinstance(value, Text):
                text = value.value
            elif not isinstance(value, Null):
                self._reading.wrong_type(value, self.at(name), "a text")
        return text

    def either(self, name: str) -> str | Number | None:
        """Return a text or a number, None where it is absent."""
        found: str | Number | None = None
        for value in self.values(name):
            if isinstance(value, Number):
                found = value
            elif isinstance(value, Text):
                found = value.value
            elif not isinstance(value, Null):
                self._reading.wrong_type(value, self.at(name), "a text or a number")
        return found

    def flag(self, name: str) -> bool:
        flag = False
        for value in self.values(name):
            if isinstance(value, Boolean):
                flag = value.value
            elif not isinstance(value, Null):
                self._reading.wrong_type(value, self.at(name), "a boolean")
        return flag

    def optional_unsigned(self, name: str, bits: int = 64) -> int | None:
        """Return an unsigned integer, None where it is absent or `null`."""
        return self._unsigned(name, bits, None)

    def unsigned(self, name: str, bits: int = 64) -> int:
        """Return an unsigned integer, 0 where it is absent; `null` leaves what was there."""
        return self._unsigned(name, bits, 0) or 0

    def _unsigned(self, name: str, bits: int, default: int | None) -> int | None:
        number = default
        for value in self.values(name):
            if isinstance(value, Number):
                number = unsigned(value, bits)
                if number is None:
                    self._out_of_range(value, name, f"a whole number from 0 to {(1 << bits) - 1}")
            elif not isinstance(value, Null):
                self._reading.wrong_type(value, self.at(name), "an unsigned integer")
            elif default is None:
                number = None
        return number

    def integer(self, name: str) -> int:
        """Return an integer of 64 bits, 0 where it is absent."""
        number = 0
        for value in self.values(name):
            if isinstance(value, Number):
                number = self._signed(value, self.at(name))
            elif not isinstance(value, Null):
                self._reading.wrong_type(value, self.at(name), "an integer")
        return number

    def integers(self, name: str) -> tuple[int, ...] | None:
        """Return a list of integers, None where it is absent."""
        items = self.items(name)
        if items is None:
            return None
        numbers = []
        for path, value in items:
            if isinstance(value, Number):
                numbers.append(self._signed(value, path))
            elif isinstance(value, Null):
                numbers.append(0)
            else:
                self._reading.wrong_type(value, path, "an integer")
        return tuple(numbers)

    def _signed(self, value: Number, path: Path) -> int:
        number = signed(value, 64)
        if number is None:
            self._out_of_range(value, path[-1], "a whole number of 64 bits")
        return number or 0

    def _out_of_range(self, value: Number, name: str | int, wanted: str) -> None:
        self._reading.report.add(
            "out-of-range",
            (*self.path, name),
            f"{value.text[:40]} is not {wanted}.",
            offset=value.offset,
        )

    def data(self, name: str) -> bytes:
        """Return bytes: base64, or a list of numbers."""
        data: bytes | None = b""
        for value in self.values(name):
            match value:
                case Text(text, _):
                    data = base64_bytes(text)
                case Array():
                    data = byte_list(value)
                case Null():
                    data = b""
                case _:
                    data = None
            if data is None:
                self._reading.wrong_type(value, self.at(name), "base64 with padding, or a list of bytes,")
        return data or b""

    def items(self, name: str) -> list[tuple[Path, JsonValue]] | None:
        """Return a list's values with their paths, None where it is absent."""
        found: list[tuple[Path, JsonValue]] | None = None
        for value in self.values(name):
            if isinstance(value, Array):
                found = [((*self.path, name, index), item) for index, item in enumerate(value.items)]
            elif isinstance(value, Null):
                found = None
            else:
                self._reading.wrong_type(value, self.at(name), "a list")
        return found

    def optional_texts(self, name: str) -> tuple[str, ...] | None:
        """Return a list of texts, None where it is absent."""
        items = self.items(name)
        if items is None:
            return None
        texts = []
        for path, value in items:
            if isinstance(value, Text):
                texts.append(value.value)
            elif isinstance(value, Null):
                texts.append("")
            else:
                self._reading.wrong_type(value, path, "a text")
        return tuple(texts)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, empty where it is absent."""
        return self.optional_texts(name) or ()

    def named(self, name: str) -> Iterator[tuple[str, Path, JsonValue]]:
        """Yield the entries of a map: name, path and value; of repeated names the last."""
        entries: dict[str, JsonValue] = {}
        for value in self.values(name):
            if isinstance(value, Object):
                self._enter(value, name, entries)
            elif isinstance(value, Null):
                entries.clear()
            else:
                self._reading.wrong_type(value, self.at(name), "an object")
        for key, value in entries.items():
            yield key, (*self.path, name, key), value

    def _enter(self, value: Object, name: str, entries: dict[str, JsonValue]) -> None:
        for member in value.members:
            if member.name in entries and not self._reading.lenient:
                self._reading.report.add(
                    "duplicate-key",
                    (*self.path, name, member.name),
                    f"{quoted(member.name)} stands here a second time.",
                    offset=member.offset,
                    remedy="Keep one of the two; readers differ in which one counts.",
                )
            entries[member.name] = member.value

    def view(self, name: str, shape: Shape) -> "View":
        """Return the object in a field; without fields where it is absent."""
        values = self.values(name)
        if len(values) == 1:
            return View(self._reading, values[0], self.at(name), shape)
        merged: list[Member] = []
        for value in values:
            if isinstance(value, Object):
                merged.extend(value.members)
            elif not isinstance(value, Null):
                self._reading.wrong_type(value, self.at(name), "an object")
        return View(self._reading, Object(tuple(merged), 0), self.at(name), shape)
