"""Evidence and claims as lines for people: names and values, nested as they are.

Bytes become hexadecimal, times UTC, flags of an enumeration their names. Signatures, what they cover and raw
copies are left out; certificates too, a program for those prints them better.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum

_LEFT_OUT = frozenset({
    "raw", "sign1", "signed", "signature", "signature_r", "signature_s", "certificates", "chain", "dcap",
    "ca_bundle", "certificate", "vcek", "opaque", "key", "public_key", "hardware_report", "attestation_key",
    "ek_chain",
})  # fmt: skip
_LONGEST = 4096


def describe(value: object) -> Iterator[tuple[str, str]]:
    """Yield each field's path and value, in the order of the structure."""
    yield from _lines("", value)


def _lines(path: str, value: object) -> Iterator[tuple[str, str]]:
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if field.name not in _LEFT_OUT:
                yield from _lines(_join(path, field.name), getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _lines(_join(path, key.name.lower() if isinstance(key, Enum) else str(key)), inner)
    elif isinstance(value, tuple | list):
        for index, inner in enumerate(value):
            yield from _lines(f"{path}[{index}]", inner)
    else:
        yield path, spell(value)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def spell(value: object) -> str:
    """Return one value as text."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case bytes() if value and not any(value):
            return f"{len(value)} bytes of zero"
        case bytes():
            return value.hex()[:_LONGEST] or "empty"
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case Enum():
            return str(value.value) if isinstance(value.value, str) else value.name
        case _:
            return str(value)[:_LONGEST]
