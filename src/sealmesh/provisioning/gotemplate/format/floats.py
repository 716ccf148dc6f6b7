"""Floating point and complex numbers: %e %f %g %b %x and their capitals."""

import math
from dataclasses import replace

from sealmesh.provisioning.gotemplate.format.spec import Spec, pad

__all__ = ["format_complex", "format_float"]

_VERBS = "vbgGxXfFeE"


def format_complex(spec: Spec, value: complex, verb: str) -> str | None:
    """Return `(real+imagi)`, None when the verb does not fit."""
    if verb not in _VERBS:
        return None
    real = format_float(spec, value.real, verb)
    imaginary = format_float(replace(spec, plus=True), value.imag, verb)
    return f"({real}{imaginary}i)"


def format_float(spec: Spec, value: float, verb: str) -> str | None:
    """Return the number under `verb`, None when the verb does not fit."""
    if verb not in _VERBS:
        return None
    verb = {"v": "g", "F": "f"}.get(verb, verb)
    precision = spec.precision if spec.precision is not None else (6 if verb in "feE" else -1)
    return _signed(spec, _number(value, verb, precision), verb, precision)


def _signed(spec: Spec, number: str, verb: str, precision: int) -> str:
    """Apply sign, `#` and padding to a number that begins with a minus sign or a digit."""
    if number[0] not in "+-":
        number = "+" + number
    if spec.space and number[0] == "+" and not spec.plus:
        number = " " + number[1:]
    if number[1] in "IN":
        plain = number[1] == "N" and not spec.space and not spec.plus
        bare = number[1:] if plain or (number[0] == "+" and not spec.plus) else number
        return pad(spec, bare, zero=False)
    if spec.sharp and verb != "b":
        number = _keep_point(number, verb, precision)
    if not spec.plus and number[0] == "+":
        return pad(spec, number[1:])
    if spec.zero and not spec.minus and spec.width is not None and spec.width > len(number):
        return number[0] + "0" * (spec.width - len(number)) + number[1:]
    return pad(spec, number)


def _keep_point(number: str, verb: str, precision: int) -> str:
    """`#`: always show a decimal point, and for %g the trailing zeros."""
    marks = "pP" if verb in "xX" else "eEpP"
    cut = next((i for i in range(1, len(number)) if number[i] in marks), len(number))
    body, tail = number[:cut], number[cut:]
    digits = (6 if precision == -1 else precision) if verb in "gGx" else 0
    digits -= len(body[1:].replace(".", "").lstrip("0"))
    if "." not in body:
        digits -= body[1:] == "0"
        body += "."
    return body + "0" * max(0, digits) + tail


def _number(value: float, verb: str, precision: int) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if verb == "b":
        return _binary(value)
    if verb in "xX":
        return _hexadecimal(value, verb, precision)
    if precision >= 0:
        return f"%.{precision}{verb}" % value
    return _shortest(value, verb)


def _shortest(value: float, verb: str) -> str:
    """%g with as many digits as tell the number from its neighbours."""
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + part).lstrip("0")
    point = len(whole) + int(exponent or 0)
    point -= len(whole + part) - len(digits) if digits else point - 1
    digits = digits.rstrip("0") or "0"
    if not -4 <= point - 1 < 6:
        rest = "." + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{rest}{'e' if verb == 'g' else 'E'}{point - 1:+03d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return sign + digits.ljust(point, "0")
    return f"{sign}{digits[:point]}.{digits[point:]}"


def _split(value: float) -> tuple[int, int]:
    """Return mantissa and exponent as IEEE 754 stores them: `mantissa * 2**exponent`."""
    _fraction, exponent = math.frexp(abs(value))
    exponent = max(exponent - 53, -1074)
    return int(math.ldexp(abs(value), -exponent)) if exponent > -1074 else int(
        math.ldexp(abs(value), 1074)
    ), exponent


def _binary(value: float) -> str:
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    mantissa, exponent = _split(value) if value else (0, -1074)
    return f"{sign}{mantissa}p{exponent:+d}"


def _hexadecimal(value: float, verb: str, precision: int) -> str:
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if value == 0:
        zeros = "." + "0" * precision if precision > 0 else ""
        text = f"{sign}0x0{zeros}p+00"
        return text.upper() if verb == "X" else text
    mantissa, exponent = _split(value)
    shift = 53 - mantissa.bit_length()
    mantissa, exponent = mantissa << shift, exponent - shift + 52
    if 0 <= precision < 13:
        drop = 4 * (13 - precision)
        half, rest = 1 << (drop - 1), mantissa & ((1 << drop) - 1)
        mantissa >>= drop
        mantissa += rest > half or (rest == half and mantissa & 1)
        mantissa <<= drop
        if mantissa >> 53:
            mantissa, exponent = mantissa >> 1, exponent + 1
    digits = f"{mantissa & ((1 << 52) - 1):013x}"
    digits = digits.rstrip("0") if precision < 0 else digits[:precision].ljust(precision, "0")
    text = f"{sign}0x1{'.' if digits else ''}{digits}p{exponent:+03d}"
    return text.upper() if verb == "X" else text
