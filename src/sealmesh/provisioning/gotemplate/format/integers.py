"""Integers: %b %c %d %o %O %q %U %x %X."""

from dataclasses import replace

from sealmesh.provisioning.gotemplate.format.spec import Spec, pad
from sealmesh.provisioning.gotemplate.format.text import quoted_rune

__all__ = ["format_integer"]

_BASES = {"v": "d", "d": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES = {"b": "0b", "x": "0x", "X": "0X"}


def format_integer(spec: Spec, value: int, verb: str, *, unsigned: bool) -> str | None:
    """Return the integer under `verb`, None when the verb does not fit integers."""
    if verb == "v" and spec.sharp_v and unsigned:
        return _digits(replace(spec, sharp=True), value, "x")
    if verb in _BASES:
        return _digits(spec, value, verb)
    if verb == "c":
        return pad(spec, _character(value))
    if verb == "q":
        return pad(spec, quoted_rune(_character(value), ascii_only=spec.plus))
    if verb == "U":
        return _unicode(spec, value)
    return None


def _character(value: int) -> str:
    return chr(value) if 0 <= value <= 0x10FFFF and not 0xD800 <= value <= 0xDFFF else "\ufffd"


def _digits(spec: Spec, value: int, verb: str) -> str:
    least = 0
    if spec.precision is not None:
        least = spec.precision
        if least == 0 and value == 0:
            return " " * (spec.width or 0)
    elif spec.zero and not spec.minus and spec.width is not None:
        least = spec.width - (1 if value < 0 or spec.plus or spec.space else 0)
    base = _BASES[verb]
    digits = format(abs(value), base).rjust(least, "0")
    if spec.sharp and base == "o" and not digits.startswith("0"):
        digits = "0" + digits
    elif spec.sharp:
        digits = _PREFIXES.get(base, "") + digits
    if verb == "O":
        digits = "0o" + digits
    sign = "-" if value < 0 else "+" if spec.plus else " " if spec.space else ""
    return pad(spec, sign + digits, zero=False)


def _unicode(spec: Spec, value: int) -> str:
    # Go reads the bits as unsigned here.
    number = value % 2**64
    text = "U+" + format(number, "X").rjust(max(4, spec.precision or 0), "0")
    if spec.sharp and number <= 0x10FFFF and chr(number).isprintable():
        text += f" '{_character(number)}'"
    return pad(spec, text, zero=False)
