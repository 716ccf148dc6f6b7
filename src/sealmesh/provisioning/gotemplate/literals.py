"""Go's literals: quoted strings, character constants, numbers.

Source: The Go Programming Language Specification, "Lexical elements"; package `strconv`.
"""

import re

__all__ = ["LiteralError", "number", "rune", "unquote"]

_MAX_INT, _MAX_UINT = 2**63 - 1, 2**64 - 1
_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34}
_ESCAPE_RE = re.compile(
    r"\\(?:(?P<simple>[abfnrtv\\'\"])|x(?P<hex>[0-9a-fA-F]{2})|(?P<octal>[0-7]{3})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))"
)
_INTEGER_RE = re.compile(
    r"(?:0[xX](?P<hex>(?:_?[0-9a-fA-F])+)|0[bB](?P<binary>(?:_?[01])+)|0[oO](?P<octal>(?:_?[0-7])+)"
    r"|0(?P<old>(?:_?[0-7])+)|(?P<decimal>0|[1-9](?:_?[0-9])*))"
)
_FLOAT_RE = re.compile(
    r"(?P<whole>[0-9](?:_?[0-9])*)?(?:\.(?P<part>[0-9](?:_?[0-9])*)?)?(?:[eE](?P<exponent>[+-]?[0-9](?:_?[0-9])*))?"
)
_HEX_FLOAT_RE = re.compile(
    r"0[xX](?P<whole>(?:_?[0-9a-fA-F])+)?(?:\.(?P<part>[0-9a-fA-F](?:_?[0-9a-fA-F])*)?)?[pP](?P<exponent>[+-]?[0-9](?:_?[0-9])*)"
)
_BASES = {"hex": 16, "binary": 2, "octal": 8, "old": 8, "decimal": 10}
#: An integer literal longer than this overflows 64 bits in every base; Python refuses to convert longer ones.
_MAX_DIGITS = 200


class LiteralError(ValueError):
    """A literal that Go refuses."""


def encode(text: str) -> bytes:
    """Return the bytes that were decoded with `surrogateescape`."""
    return text.encode("utf-8", "surrogateescape")


def unquote(literal: str) -> bytes:
    """Return the bytes of a `"..."` or `` `...` `` literal.

    Raises:
        LiteralError: An escape is unknown, incomplete or names no character.
    """
    body = literal[1:-1]
    if literal[0] == "`":
        return encode(body.replace("\r", ""))
    if "\\" not in body:
        return _valid(body)
    pieces: list[bytes] = []
    position = 0
    while (start := body.find("\\", position)) >= 0:
        pieces.append(_valid(body[position:start]))
        value, is_byte, position = _escape(body, start, quote='"')
        pieces.append(bytes([value]) if is_byte else chr(value).encode())
    pieces.append(_valid(body[position:]))
    return b"".join(pieces)


def rune(literal: str) -> int:
    r"""Return the code point of a `'x'` literal.

    Raises:
        LiteralError: It is empty, longer than one character, or an escape is wrong.
    """
    body = literal[1:-1]
    if body.startswith("\\"):
        value, _, end = _escape(body, 0, quote="'")
    else:
        value, end = (ord(body[0]) if body else 0), 1
        value = 0xFFFD if 0xDC80 <= value <= 0xDCFF else value
    if not body or end != len(body):
        raise LiteralError(f"malformed character constant: {ascii(literal)[1:-1]}")
    return value


def _valid(text: str) -> bytes:
    """Encode, with each byte that is not UTF-8 replaced by U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return re.sub("[\udc80-\udcff]", "\ufffd", text).encode()


def _escape(body: str, start: int, quote: str) -> tuple[int, bool, int]:
    found = _ESCAPE_RE.match(body, start)
    if found is None:
        raise LiteralError(f"unknown or incomplete escape {body[start : start + 2]!a}")
    kind, digits = str(found.lastgroup), found[str(found.lastgroup)]
    if kind == "simple":
        if digits in "'\"" and digits != quote:
            raise LiteralError(f"escape \\{digits} is not allowed here")
        return _ESCAPES[digits], True, found.end()
    value = int(digits, 8 if kind == "octal" else 16)
    if kind in ("hex", "octal"):
        if value > 255:
            raise LiteralError(f"escape \\{digits} is more than a byte")
        return value, True, found.end()
    if value > 0x10FFFF or 0xD800 <= value <= 0xDFFF:
        raise LiteralError(f"escape names no character: {found[0]}")
    return value, False, found.end()


def number(literal: str, *, is_complex: bool = False) -> int | float | complex:
    """Return the value of a number with the type a template gives it.

    An integer may lie between 2**63 and 2**64-1: the caller must refuse its use as `int`.

    Raises:
        LiteralError: Go refuses the literal.
    """
    if is_complex:
        split = max(literal.rfind("+", 1, -1), literal.rfind("-", 1, -1))
        if literal[split - 1] in "eEpP":
            split = max(literal.rfind("+", 1, split), literal.rfind("-", 1, split))
        return complex(_float(literal[:split]), _float(literal[split:-1]))
    if literal.endswith("i"):
        return complex(0.0, _float(literal[:-1]))
    integer = _integer(literal)
    if integer is None:
        if not any(mark in literal for mark in ".eEpP"):
            raise LiteralError(f"integer overflow or illegal number syntax: {ascii(literal)[1:-1]}")
        return _float(literal)
    looks_float = any(mark in literal for mark in ".eEpP") and literal.lstrip("+-")[:2].lower() != "0x"
    return float(integer) if looks_float else integer


def _integer(literal: str) -> int | None:
    sign, digits = _sign(literal)
    found = _INTEGER_RE.fullmatch(digits)
    if found is None or len(digits) > _MAX_DIGITS:
        return None
    kind = str(found.lastgroup)
    value = int(found[kind].replace("_", ""), _BASES[kind])
    if sign:
        value = value if sign == "+" else -value
        return value if -_MAX_INT - 1 <= value <= _MAX_INT else None
    return value if value <= _MAX_UINT else None


def _float(literal: str) -> float:
    sign, digits = _sign(literal)
    factor = -1.0 if sign == "-" else 1.0
    found = _HEX_FLOAT_RE.fullmatch(digits) or _FLOAT_RE.fullmatch(digits)
    if found is None or not (found["whole"] or found["part"]):
        raise LiteralError(f"illegal number syntax: {ascii(literal)[1:-1]}")
    plain = digits.replace("_", "")
    try:
        value = float.fromhex(plain) if plain[:2].lower() == "0x" else float(plain)
    except OverflowError:
        value = float("inf")
    if value == float("inf"):
        raise LiteralError(f"number out of range: {ascii(literal)[1:-1]}")
    return factor * value


def _sign(literal: str) -> tuple[str, str]:
    return (literal[0], literal[1:]) if literal[:1] in ("+", "-") else ("", literal)
