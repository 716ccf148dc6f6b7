"""`printf`: the format string. Source: documentation of Go's package `fmt`."""

import re
from collections.abc import Sequence

from sealmesh.provisioning.gotemplate.format.printer import Printer
from sealmesh.provisioning.gotemplate.format.spec import Spec, decode
from sealmesh.provisioning.gotemplate.values import Integer, Value, type_name

__all__ = ["sprintf"]

#: Go's own bound on width and precision.
_MAX_NUMBER = 1_000_000
_FLAGS = {"#": "sharp", "0": "zero", "+": "plus", "-": "minus", " ": "space"}
_INDEX_RE = re.compile(r"\[([^\]]*)\]")
_DIGITS_RE = re.compile(r"[0-9]*")


def sprintf(template: bytes, values: Sequence[Value], limit: int) -> bytes:
    """Return `template` with its verbs filled in; mistakes show in the text, as Go's do.

    Raises:
        FunctionError: A value cannot be printed; TextTooLongError: more than `limit` bytes.
    """
    return _Format(decode(template), values, Printer(limit)).run()


class _Format:
    def __init__(self, text: str, values: Sequence[Value], printer: Printer) -> None:
        self._text = text
        self._values = values
        self._printer = printer
        self._position = 0
        self._next = 0
        self._reordered = False
        self._good_index = True

    def run(self) -> bytes:
        text = self._text
        while True:
            percent = text.find("%", self._position)
            end = len(text) if percent < 0 else percent
            if end > self._position:
                self._printer.write(text[self._position : end])
            if percent < 0:
                break
            self._position = percent + 1
            self._verb()
        if not self._reordered and self._next < len(self._values):
            self._extra()
        return self._printer.result()

    def _verb(self) -> None:
        spec = Spec()
        self._good_index = True
        while (flag := _FLAGS.get(self._here())) is not None:
            setattr(spec, flag, True)
            self._position += 1
        after_index = self._index()
        after_index = self._width(spec, after_index)
        if self._here() == "." and self._position + 1 < len(self._text):
            after_index = self._precision(spec, after_index)
        if not after_index:
            self._index()
        verb = self._here()
        if not verb:
            self._printer.write("%!(NOVERB)")
            return
        self._position += 1
        verb = "\ufffd" if "\udc80" <= verb <= "\udcff" else verb
        self._show(spec, verb)

    def _here(self) -> str:
        return self._text[self._position : self._position + 1]

    def _show(self, spec: Spec, verb: str) -> None:
        if verb == "%":
            self._printer.write("%")
        elif not self._good_index:
            self._printer.write(f"%!{verb}(BADINDEX)")
        elif self._next >= len(self._values):
            self._printer.write(f"%!{verb}(MISSING)")
        else:
            if verb in "vw":  # Go treats the flags of %w, which is for errors only, like those of %v
                spec.sharp_v, spec.sharp = spec.sharp, False
                spec.plus_v, spec.plus = spec.plus, False
            value = self._values[self._next]
            self._next += 1
            self._printer.argument(spec, value, verb)

    def _index(self) -> bool:
        """Read `[n]`; tell whether it was there and well-formed."""
        if self._here() != "[":
            return False
        self._reordered = True
        found = _INDEX_RE.match(self._text, self._position)
        if found is None or len(self._text) - self._position < 3:
            self._good_index = False
            self._position += 1
            return False
        self._position = found.end()
        if not (found[1].isascii() and found[1].isdigit()) or _too_large(found[1]):
            self._good_index = False
            return False
        index = int(found[1]) - 1
        if 0 <= index < len(self._values):
            self._next = index
        else:
            self._good_index = False
        return True

    def _number(self) -> int | None:
        found = _DIGITS_RE.match(self._text, self._position)
        digits = found[0] if found else ""
        if not digits:
            return None
        if _too_large(digits):
            self._position = len(self._text)
            return None
        self._position += len(digits)
        return int(digits)

    def _argument_number(self) -> int | None:
        self._position += 1
        if self._next >= len(self._values):
            return None
        value = self._values[self._next]
        self._next += 1
        number = value.value if isinstance(value, Integer) else value
        if type(number) is not int or abs(number) > _MAX_NUMBER:
            return None
        return number

    def _width(self, spec: Spec, after_index: bool) -> bool:
        if self._here() == "*":
            spec.width = self._argument_number()
            if spec.width is None:
                self._printer.write("%!(BADWIDTH)")
            elif spec.width < 0:
                spec.width, spec.minus, spec.zero = -spec.width, True, False
            return False
        spec.width = self._number()
        if after_index and spec.width is not None:
            self._good_index = False
        return after_index

    def _precision(self, spec: Spec, after_index: bool) -> bool:
        self._position += 1
        if after_index:
            self._good_index = False
        after_index = self._index()
        if self._here() == "*":
            spec.precision = self._argument_number()
            if spec.precision is not None and spec.precision < 0:
                spec.precision = None
            if spec.precision is None:
                self._printer.write("%!(BADPREC)")
            return False
        number = self._number()
        spec.precision = 0 if number is None else number
        return after_index

    def _extra(self) -> None:
        self._printer.write("%!(EXTRA ")
        for position, value in enumerate(self._values[self._next :]):
            if position:
                self._printer.write(", ")
            if value is None:
                self._printer.write("<nil>")
            else:
                self._printer.write(type_name(value) + "=")
                self._printer.argument(Spec(), value, "v")
        self._printer.write(")")


def _too_large(digits: str) -> bool:
    """Tell what Go takes for too large: it looks before each digit whether the number so far is."""
    return len(digits.lstrip("0")) > 8 or int(digits[:-1] or "0") > _MAX_NUMBER
