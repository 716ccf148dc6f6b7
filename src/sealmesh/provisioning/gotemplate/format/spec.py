"""Flags, width and precision of one verb, and padding."""

from dataclasses import dataclass

__all__ = ["Spec", "decode", "encode", "pad"]


@dataclass(slots=True)
class Spec:
    """What stands between the percent sign and the verb.

    `plus_v` and `sharp_v` are `%+v` (field names) and `%#v` (Go syntax), which take the place of
    `plus` and `sharp` for that verb.
    """

    plus: bool = False
    minus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    plus_v: bool = False
    sharp_v: bool = False
    width: int | None = None
    precision: int | None = None


def decode(data: bytes) -> str:
    """Return text in which each byte that is not UTF-8 is one surrogate."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Undo `decode`."""
    return text.encode("utf-8", "surrogateescape")


def pad(spec: Spec, text: str, *, zero: bool | None = None) -> str:
    """Fill `text` to the width, counted in characters; zeros go to the left only."""
    missing = (spec.width or 0) - len(text)
    if missing <= 0:
        return text
    if spec.minus:
        return text + " " * missing
    fill = "0" if (spec.zero if zero is None else zero) else " "
    return fill * missing + text
