"""Strings and bytes: %s %q %x %X, and Go's quoting."""

from sealmesh.provisioning.gotemplate.format.spec import Spec, decode, pad

__all__ = ["format_text", "quoted", "quoted_rune"]

_ESCAPES = {7: "\\a", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v", 92: "\\\\"}


def format_text(spec: Spec, data: bytes, verb: str) -> str | None:
    """Return the string under `verb`, None when the verb does not fit strings."""
    match verb:
        case "v" if spec.sharp_v:
            return _quote(spec, data)
        case "v" | "s":
            return pad(spec, decode(data)[: spec.precision])
        case "q":
            return _quote(spec, data)
        case "x" | "X":
            return _hexadecimal(spec, data, verb)
    return None


def _quote(spec: Spec, data: bytes) -> str:
    text = decode(data)[: spec.precision]
    if (spec.sharp or spec.sharp_v) and _can_backquote(text):
        return pad(spec, f"`{text}`") if spec.sharp else pad(spec, quoted(text, ascii_only=spec.plus))
    return pad(spec, quoted(text, ascii_only=spec.plus))


def _can_backquote(text: str) -> bool:
    return not any(c in "`\x7f\ufeff" or (c < " " and c != "\t") or "\udc80" <= c <= "\udcff" for c in text)


def quoted(text: str, *, ascii_only: bool = False) -> str:
    """Return `text` as a double-quoted Go literal."""
    return '"' + "".join(_escaped(c, '"', ascii_only) for c in text) + '"'


def quoted_rune(character: str, *, ascii_only: bool = False) -> str:
    """Return one character as a single-quoted Go literal."""
    return "'" + _escaped(character, "'", ascii_only) + "'"


def _escaped(character: str, quote: str, ascii_only: bool) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if character == quote:
        return "\\" + quote
    if code in _ESCAPES:
        return _ESCAPES[code]
    if character.isprintable() and (code < 0x80 or not ascii_only):
        return character
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _hexadecimal(spec: Spec, data: bytes, verb: str) -> str:
    data = data[: spec.precision]
    prefix = f"0{verb}" if spec.sharp else ""
    digits = data.hex() if verb == "x" else data.hex().upper()
    if spec.space:
        text = " ".join(prefix + digits[i : i + 2] for i in range(0, len(digits), 2))
    else:
        text = prefix + digits if data else ""
    return pad(spec, text)
