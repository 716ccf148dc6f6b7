"""Any bytes in: a manifest or our own error, in bounded time."""

import copy
import json
from time import perf_counter

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealmesh.errors.manifest import JsonError, ManifestError, YamlError
from sealmesh.manifest import (
    Manifest,
    diff,
    is_package_update,
    json_schema,
    lint,
    parse_manifest,
    parse_package_update,
    yaml_to_json,
)
from sealmesh.manifest.json_scanner import decode_text, parse_json
from sealmesh.manifest.json_values import Array, Boolean, Null, Number, Object, Text

PEM = "-----BEGIN CERTIFICATE-----\nMIIBAA==\n-----END CERTIFICATE-----\n"
FULL = {
    "Packages": {
        "p": {
            "SignerID": "aa" * 32,
            "ProductID": 1,
            "SecurityVersion": 2,
            "AcceptedTCBStatuses": ["UpToDate"],
        },
        "q": {"UniqueID": "bb" * 32},
    },
    "Infrastructures": {"i": {}},
    "Marbles": {
        "a": {
            "Package": "p",
            "MaxActivations": 3,
            "TLS": ["t"],
            "Names": ["a.example", "10.0.0.1"],
            "Certificate": {"Lifetime": "24h"},
            "Parameters": {
                "Files": {"/f": {"Data": "aGk=", "Encoding": "base64"}},
                "Env": {"E": "{{ hex .Secrets.k }}"},
                "Argv": ["a"],
            },
        },
        "b": {"Package": "q", "DisableSecretBinding": True},
    },
    "Secrets": {
        "k": {"Type": "symmetric-key", "Size": 128},
        "c": {
            "Type": "cert-ecdsa",
            "Size": 256,
            "Shared": True,
            "Cert": {
                "Subject": {"CommonName": "x", "Country": ["DE"]},
                "DNSNames": ["x"],
                "IPAddresses": ["::1"],
                "URIs": [{"Scheme": "s", "Host": "h"}],
                "NotAfter": "2150-01-01T00:00:00Z",
                "KeyUsage": 1,
                "ExtKeyUsage": [1],
            },
        },
    },
    "TLS": {
        "t": {
            "Incoming": [{"Port": "1", "Cert": "c", "DisableClientAuth": True}],
            "Outgoing": [{"Addr": "a", "Port": "2"}],
        }
    },
    "Users": {},
    "Roles": {"r": {"ResourceType": "Secrets", "ResourceNames": ["c"], "Actions": ["ReadSecret"]}},
    "RecoveryKeys": {},
    "Config": {"FeatureGates": ["Access", "Names", "Certificate", "Simulation"], "SealMode": "ProductKey"},
    "Access": [{"From": ["a", "@anyone"], "To": "b", "Ports": ["1-5", "*"]}],
    "Simulation": True,
}
RAW = json.dumps(FULL).encode()

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([PEM, "a", "p", "@mesh", "24h", "2030-01-01T00:00:00Z", "cert-rsa", "1" * 400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def outcome(raw: bytes, *, lenient: bool) -> Manifest | None:
    refusal, manifest = None, None
    try:
        manifest = parse_manifest(raw, lenient=lenient)
    except ManifestError as error:
        refusal = error
    if manifest is None:
        assert refusal.violations
        assert all(violation.code.startswith("manifest.") for violation in refusal.violations)
        assert str(refusal)
        return None
    lint(manifest)
    assert parse_manifest(raw, lenient=lenient) == manifest
    assert diff(manifest, manifest).opened == ()
    return manifest


def _paths(value: object, path: tuple = ()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*path, key))


PATHS = list(_paths(FULL))[1:]


def _replaced(path: tuple, value: object) -> bytes:
    document = copy.deepcopy(FULL)
    at = document
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    return json.dumps(document).encode()


def test_the_document_that_is_mutated_is_accepted():
    assert outcome(RAW, lenient=False) is not None


@settings(deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_a_manifest_or_a_manifest_error(raw, lenient):
    outcome(raw, lenient=lenient)


@given(st.sampled_from(PATHS), json_values, st.booleans())
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_any_value_anywhere_gives_a_manifest_or_a_manifest_error(path, value, lenient):
    outcome(_replaced(path, value), lenient=lenient)


@settings(deadline=None)
@given(st.integers(0, len(RAW) - 1), st.integers(0, 255), st.booleans())
def test_any_changed_byte_gives_a_manifest_or_a_manifest_error(where, byte, lenient):
    raw = bytearray(RAW)
    raw[where] = byte
    outcome(bytes(raw), lenient=lenient)


@settings(deadline=None)
@given(st.integers(0, len(RAW)), st.booleans())
def test_a_cut_manifest_is_refused(where, lenient):
    assert (outcome(RAW[:where], lenient=lenient) is None) == (where < len(RAW))


@settings(deadline=None)
@given(st.sampled_from(PATHS), json_values)
def test_what_is_accepted_strictly_is_accepted_leniently(path, value):
    raw = _replaced(path, value)
    if outcome(raw, lenient=False) is not None:
        assert outcome(raw, lenient=True) is not None


@settings(deadline=None)
@given(st.sampled_from(PATHS), json_values)
def test_what_the_schema_accepts_of_types_never_crashes_the_update_reader(path, value):
    for raw in (_replaced(path, value), json.dumps({"Packages": value}).encode()):
        try:
            is_package_update(raw)
            parse_package_update(raw)
        except ManifestError:
            pass


@settings(deadline=None)
@given(json_values)
def test_the_scanner_reads_what_json_writes(value):
    text = json.dumps(value)
    try:
        read = parse_json(text, strict=False)
    except JsonError:
        assert "NaN" in text or "Infinity" in text
        return
    assert json.dumps(_plain(read)) == json.dumps(json.loads(text, parse_float=str, parse_int=str))


def _plain(value: object) -> object:
    match value:
        case Null():
            return None
        case Boolean(flag, _):
            return flag
        case Number(text, _) | Text(text, _):
            return text
        case Array(items, _):
            return [_plain(item) for item in items]
        case Object(members, _):
            return {member.name: _plain(member.value) for member in members}
    raise AssertionError(value)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_the_scanner_agrees_with_the_standard_library_on_what_is_json(raw):
    text = decode_text(raw, strict=False)
    try:
        json.loads(text, parse_constant=_refuse)
        standard = True
    except ValueError:
        standard = False
    try:
        parse_json(text, strict=False)
        ours = True
    except JsonError:
        ours = False
    assert ours == standard


def _refuse(name: str) -> object:
    raise ValueError(name)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_yaml_or_a_yaml_error(text):
    try:
        raw = yaml_to_json(text.encode())
    except YamlError:
        return
    json.loads(raw)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(0, 2**60) | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=10,
    )
)
def test_yaml_gives_back_what_was_written(value):
    text = yaml.safe_dump({"k": value})
    try:
        raw = yaml_to_json(text.encode())
    except YamlError as error:
        code = error.code
    else:
        code = ""
        assert json.loads(raw) == {"k": value}
    # PyYAML leaves some texts unquoted that other readers take for something else.
    assert code in ("", "yaml.ambiguous", "yaml.number")


@pytest.mark.parametrize(
    ("attack", "raw"),
    [
        ("many brackets", b"[" * 4_000_000),
        ("many values", b'{"a":[' + b"1," * 2_000_000 + b"1]}"),
        ("long blank", b"{" + b" " * 8_000_000),
        ("long text of escapes", b'{"a":"' + b"\\u0041" * 1_000_000 + b'"}'),
        ("open text", b'{"a":"' + b"x" * 8_000_000),
        ("open text of escapes", b'{"a":"' + b"\\n" * 2_000_000),
        ("long number", b'{"a":' + b"1" * 4_000_000 + b"}"),
        ("long exponent", b'{"a":1e' + b"1" * 4_000_000 + b"x}"),
        ("invalid bytes", b'{"a":"' + b"\xff" * 2_000_000 + b'"}'),
        ("many unknown keys", b"{" + b",".join(b'"k%d":1' % i for i in range(100_000)) + b"}"),
        ("one key many times", b"{" + b",".join([b'"Packages":{}'] * 100_000) + b"}"),
        ("long unknown key", b'{"' + b"k" * 4_000_000 + b'":1}'),
        ("many lines", b"\n" * 4_000_000 + b"{x"),
        (
            "dots for a PEM",
            json.dumps({"Users": {"u": {"Certificate": "\n-----BEGIN A-----\n" * 100_000}}}).encode(),
        ),
        (
            "headers for a PEM",
            json.dumps({"RecoveryKeys": {"u": "-----BEGIN A-----\n" + "a:\n" * 500_000}}).encode(),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("lenient", [True, False])
def test_no_document_takes_long(attack, raw, lenient):
    start = perf_counter()
    with pytest.raises(ManifestError):
        parse_manifest(raw, lenient=lenient)
    assert perf_counter() - start < 10


@settings(deadline=None)
@given(st.sampled_from(PATHS))
def test_the_schema_is_made_of_the_same_fields(path):
    names = {name for part in json_schema()["$defs"].values() for name in part["properties"]}
    names |= set(json_schema()["properties"])
    if isinstance(path[-1], str) and path[-1][:1].isupper():
        assert path[-1] in names | {"E"}
