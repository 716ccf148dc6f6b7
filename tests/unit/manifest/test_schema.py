"""The published JSON Schema: current, valid, and of one mind with the parser."""

import json
from pathlib import Path

import jsonschema
import pytest

from sealmesh.manifest import json_schema, parse_manifest, schema_text

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "reference" / "manifest.schema.json"
REFERENCE = PUBLISHED.with_name("manifest.md")
VALIDATOR = jsonschema.Draft202012Validator(json_schema())

ACCEPTED = [
    {},
    {"Packages/oven": {"Debug": True}},
    {"Marbles/baker/Parameters": {"Env": {"E": "x", "F": {"Data": "aa", "Encoding": "HEX"}}, "Argv": ["a"]}},
    {
        "Secrets/s": {
            "Type": "cert-rsa",
            "Size": 3072,
            "Cert": {"Subject": {"Country": ["DE"]}, "KeyUsage": 1},
        }
    },
    {"Secrets/s": {"Type": "cert-rsa", "UserDefined": True}},
    {"Secrets/s": {"Type": "cert-ed25519"}},
    {"TLS/t": {"Incoming": [{"Port": "1"}], "Outgoing": [{"Addr": "a", "Port": "1"}]}},
    {"Config": {"FeatureGates": ["simulation"]}, "Simulation": True},
    {
        "Config": {"FeatureGates": ["Access"]},
        "Access": [{"From": ["@mesh"], "To": "baker", "Ports": ["*", "1-2"]}],
    },
    {"Config": {"FeatureGates": ["Certificate"]}, "Marbles/baker/Certificate": {"Lifetime": "24h"}},
]
REFUSED = [
    {"Packages": {}},
    {"Marbles": {}},
    {"Colour": 1},
    {"Packages/oven/Color": "red"},
    {"Packages/oven/ProductID": -1},
    {"Packages/oven/SecurityVersion": 1.5},
    {"Packages/oven/Debug": "true"},
    {"Marbles/baker": {}},
    {"Marbles/baker/Parameters/Argv": "a"},
    {"Marbles/baker/Parameters/Files": {"f": 5}},
    {"Marbles/baker/Parameters/Files": {"f": {"Data": "a", "Encoding": "rot13"}}},
    {"Secrets/s": {"Type": "password"}},
    {"Secrets/s": {"Type": "plain"}},
    {"Secrets/s": {"Type": "symmetric-key", "Size": 12}},
    {"Secrets/s": {"Type": "cert-rsa", "Size": 1024}},
    {"Secrets/s": {"Type": "cert-ecdsa", "Size": 192}},
    {"Secrets/s": {"Type": "cert-ed25519", "Size": 256}},
    {"TLS/t": {"Incoming": [{"Port": 1}]}},
    {"TLS/t": {"Incoming": [{"Port": "1", "DisableClientAuth": True}]}},
    {"TLS/t": {"Outgoing": [{"Port": "1"}]}},
    {"Roles/r": {"ResourceType": "secrets"}},
    {"Users/u": {"Certificate": "abc"}},
    {"RecoveryKeys/k": "abc"},
    {"Config/SealMode": "productkey"},
    {"Simulation": True},
    {"Access": []},
    {"Config": {"FeatureGates": ["Access"]}, "Access": [{"From": [], "To": "baker", "Ports": ["1"]}]},
    {"Config": {"FeatureGates": ["Certificate"]}, "Marbles/baker/Certificate": {"Lifetime": 5}},
]


def test_the_schema_is_a_valid_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_published_schema_is_current():
    assert PUBLISHED.read_text() == schema_text(), (
        "run: .venv/bin/python -c 'import sealmesh.manifest as m; print(m.schema_text(), end=\"\")' "
        f"> {PUBLISHED.name}"
    )


@pytest.mark.parametrize("changes", ACCEPTED)
def test_schema_and_parser_accept_the_same(document, changes):
    raw = document(changes)
    parse_manifest(raw)
    VALIDATOR.validate(json.loads(raw))


@pytest.mark.parametrize("changes", REFUSED)
def test_schema_and_parser_refuse_the_same(document, codes, changes):
    assert codes(changes)
    assert not VALIDATOR.is_valid(json.loads(document(changes)))


def test_the_example_of_the_reference_is_accepted_by_both():
    text = REFERENCE.read_text()
    example = text.split("```json\n", 1)[1].split("```", 1)[0]
    VALIDATOR.validate(json.loads(example))
    parse_manifest(example.encode())


def test_the_reference_mentions_every_field():
    text = REFERENCE.read_text()
    definitions = json_schema()["$defs"]
    names = {name for shape in definitions.values() for name in shape["properties"]} | set(
        json_schema()["properties"]
    )
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
