"""YAML becomes the JSON that its author meant, or is refused."""

import json
from time import perf_counter

import pytest

from sealmesh.errors.manifest import YamlError
from sealmesh.manifest import as_json, parse_manifest, yaml_to_json

BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)


def test_the_json_is_compact_and_sorted():
    assert yaml_to_json(b"b: [1, x]\na:\n  d: true\n  c: null\n") == b'{"a":{"c":null,"d":true},"b":[1,"x"]}'


@pytest.mark.parametrize(
    ("yaml", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("0x1F", 31),
        ("0o17", 15),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("'yes'", "yes"),
        ('"5"', "5"),
        ("!!str 5", "5"),
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
        ("c0ffee00", "c0ffee00"),
        ("{{ hex .x }}", None),
        ("'{{ hex .x }}'", "{{ hex .x }}"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("größe", "größe"),
    ],
)
def test_scalars_mean_what_yaml_12_says(yaml, value):
    if yaml.startswith("{{"):
        with pytest.raises(YamlError):
            yaml_to_json(f"k: {yaml}".encode())
    else:
        assert json.loads(yaml_to_json(f"k: {yaml}".encode())) == {"k": value}


def test_characters_are_escaped_as_go_does():
    assert (
        yaml_to_json('k: "<a> & \\u2028 ü"'.encode()) == '{"k":"\\u003ca\\u003e \\u0026 \\u2028 ü"}'.encode()
    )


@pytest.mark.parametrize(
    ("attack", "yaml", "code"),
    [
        ("old booleans", "k: yes", "yaml.ambiguous"),
        ("Norway", "k: NO", "yaml.ambiguous"),
        ("octal", "k: 0777", "yaml.number"),
        ("base sixty", "k: 22:30", "yaml.number"),
        ("fraction", "k: 1.10", "yaml.number"),
        ("a hash that is a float", "k: 12e03", "yaml.number"),
        ("infinity", "k: .inf", "yaml.number"),
        ("a long number", "k: " + "1" * 5000, "yaml.number"),
        ("key is a number", "5: a", "yaml.key"),
        ("key is a list", "? [a]\n: b", "yaml.key"),
        ("duplicate key", "k: 1\nk: 2", "yaml.duplicate-key"),
        ("code", "k: !!python/object/apply:os.system [ls]", "yaml.tag"),
        ("binary", "k: !!binary aGk=", "yaml.tag"),
        ("own tag", "k: !x {a: b}", "yaml.tag"),
        ("alias inside itself", "k: &a [*a]", "yaml.too-deep"),
        ("bomb", BOMB, "yaml.too-large"),
        ("text bomb", f"a: &a '{'x' * 100000}'\nb: [{','.join(['*a'] * 1000)}]", "yaml.too-large"),
        ("deep", "[" * 5000, "yaml.too-deep"),
        ("two documents", "a: 1\n---\nb: 2", "yaml.syntax"),
        ("broken", "a: [", "yaml.syntax"),
        ("no such alias", "a: *b", "yaml.syntax"),
        ("merge of a text", "k: {<<: x}", "yaml.merge"),
        ("merge of itself", "k: &a {<<: *a}", "yaml.merge"),
    ],
)
def test_what_has_no_single_meaning_is_refused(attack, yaml, code):
    start = perf_counter()
    with pytest.raises(YamlError) as caught:
        yaml_to_json(yaml.encode())
    assert caught.value.code == code
    assert caught.value.line >= 1
    assert perf_counter() - start < 10


def test_what_is_not_utf8_is_refused():
    with pytest.raises(YamlError) as caught:
        yaml_to_json(b"k: \xff")
    assert caught.value.code == "yaml.not-utf8"


def test_aliases_and_merge_keys_are_expanded():
    yaml = b"base: &b {Package: p, MaxActivations: 3}\nm: {<<: *b, MaxActivations: 4}\no: *b\n"
    document = json.loads(yaml_to_json(yaml))
    assert document["m"] == {"Package": "p", "MaxActivations": 4}
    assert document["o"] == document["base"]


def test_json_files_pass_through_byte_for_byte():
    raw = b' {"b": 1,\n "a":2}'
    assert as_json(raw) == raw
    assert as_json(b"b: 1") == b'{"b":1}'


def test_a_yaml_manifest_parses():
    yaml = b"Packages:\n  p: {UniqueID: aa}\nMarbles:\n  a: {Package: p}\n"
    assert set(parse_manifest(yaml_to_json(yaml)).marbles) == {"a"}
