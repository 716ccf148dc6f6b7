"""The document's objects and their fields: the one table that parsing, suggestions and schema share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sealmesh.manifest.gojson import fold
from sealmesh.manifest.model import FeatureGate

Schema = Mapping[str, object]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
BYTES: Schema = {
    "oneOf": [
        {"type": "string", "contentEncoding": "base64"},
        {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}},
    ]
}


def unsigned(bits: int) -> Schema:
    """Return the schema of an unsigned integer."""
    return {"type": "integer", "minimum": 0, "maximum": (1 << bits) - 1}


def ref(name: str) -> Schema:
    """Return a reference to another object of the table."""
    return {"$ref": f"#/$defs/{name}"}


def named(of: Schema) -> Schema:
    """Return the schema of an object with free names."""
    return {"type": "object", "additionalProperties": of}


def listed(of: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": of}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: its JSON Schema, what it is for, and the gate it hangs on."""

    schema: Schema
    about: str
    gate: FeatureGate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One kind of object. `ignored` fields are known and have no effect."""

    name: str
    about: str
    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()
    folded: Mapping[str, str] = field(default_factory=dict, compare=False)


def shape(
    name: str,
    about: str,
    fields: Mapping[str, Field],
    *,
    required: tuple[str, ...] = (),
    ignored: frozenset[str] = frozenset(),
) -> Shape:
    """Return a `Shape` with its look-up table for names in any case."""
    known = [*fields, *ignored]
    return Shape(
        name=name,
        about=about,
        fields=MappingProxyType(dict(fields)),
        required=required,
        ignored=ignored,
        folded=MappingProxyType({fold(key): key for key in known}),
    )
