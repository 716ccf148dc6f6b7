"""JSON Schema out (draft 2020-12), from the same table that parsing uses.

It is for editors and checks before sending: it wants the canonical spelling, while the parser takes keys
in any case and `null` for absent values, and it cannot see whether a name refers to something.
"""

import json
from collections.abc import Mapping

from sealmesh.manifest.fields import Field, Shape
from sealmesh.manifest.shapes import MANIFEST, SHAPES

SCHEMA_ID = "https://sealmesh.dev/schema/manifest.json"

_CONDITIONS: Mapping[str, Mapping[str, object]] = {
    "Secret": {
        "if": {"not": {"required": ["UserDefined"], "properties": {"UserDefined": {"const": True}}}},
        "then": {
            "oneOf": [
                {
                    "properties": {
                        "Type": {"const": "symmetric-key"},
                        "Size": {"multipleOf": 8, "minimum": 8},
                    },
                    "required": ["Size"],
                },
                {
                    "properties": {"Type": {"const": "cert-rsa"}, "Size": {"minimum": 2048, "maximum": 8192}},
                    "required": ["Size"],
                },
                {
                    "properties": {"Type": {"const": "cert-ecdsa"}, "Size": {"enum": [224, 256, 384, 521]}},
                    "required": ["Size"],
                },
                {"properties": {"Type": {"const": "cert-ed25519"}, "Size": {"const": 0}}},
            ]
        },
    },
    "Incoming": {
        "if": {"required": ["Cert"], "properties": {"Cert": {"minLength": 1}}},
        "then": {"required": ["DisableClientAuth"], "properties": {"DisableClientAuth": {"const": True}}},
        "else": {"properties": {"DisableClientAuth": {"const": False}}},
    },
}


def json_schema() -> dict[str, object]:
    """Return the manifest's JSON Schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "sealmesh manifest",
        **_object(MANIFEST),
        "dependentSchemas": {
            name: _needs_gate(str(field.gate)) for name, field in MANIFEST.fields.items() if field.gate
        },
        "$defs": {shape.name: {**_object(shape), **_CONDITIONS.get(shape.name, {})} for shape in SHAPES},
    }


def schema_text() -> str:
    """Return `json_schema` as the text of `docs/reference/manifest.schema.json`."""
    return json.dumps(json_schema(), indent=2) + "\n"


def _object(shape: Shape) -> dict[str, object]:
    properties = {name: _field(field) for name, field in shape.fields.items()}
    properties |= {name: {"description": "Accepted and without effect."} for name in sorted(shape.ignored)}
    schema: dict[str, object] = {
        "type": "object",
        "description": shape.about,
        "properties": properties,
        "additionalProperties": False,
    }
    if shape.required:
        schema["required"] = list(shape.required)
    return schema


def _field(field: Field) -> dict[str, object]:
    about = f"{field.about} Needs the feature gate {field.gate}." if field.gate else field.about
    return {**field.schema, "description": about}


def _needs_gate(gate: str) -> dict[str, object]:
    any_case = "".join(f"[{letter.lower()}{letter.upper()}]" for letter in gate)
    gates = {"type": "array", "contains": {"type": "string", "pattern": f"^{any_case}$"}}
    return {
        "required": ["Config"],
        "properties": {"Config": {"required": ["FeatureGates"], "properties": {"FeatureGates": gates}}},
    }
