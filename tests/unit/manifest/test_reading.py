"""How the document itself is read: Go's rules leniently, one meaning only strictly."""

from time import process_time

import pytest

from sealmesh.errors.manifest import ManifestError
from sealmesh.manifest import fingerprint, parse_manifest
from sealmesh.manifest.limits import MAX_DEPTH, MAX_MANIFEST_BYTES, MAX_VALUES

PACKAGES = b'"Packages":{"p":{"UniqueID":"aa"}}'
MARBLES = b'"Marbles":{"a":{"Package":"p"}}'
GOOD = b"{" + PACKAGES + b"," + MARBLES + b"}"


def refusal(raw: bytes, **kw) -> str:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(raw, **kw)
    return caught.value.code


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "json.syntax"),
        (b"hello", "json.syntax"),
        (b"{", "json.syntax"),
        (GOOD[:-1], "json.syntax"),
        (GOOD + b" {}", "json.trailing-data"),
        (b"\xef\xbb\xbf" + GOOD, "json.syntax"),
        (b"[]", "not-an-object"),
        (b"null", "not-an-object"),
        (b'"text"', "not-an-object"),
        (b"{" + PACKAGES + b",}", "json.syntax"),
        (b'{"a":01}', "json.syntax"),
        (b'{"a":+1}', "json.syntax"),
        (b'{"a":.5}', "json.syntax"),
        (b'{"a":1.}', "json.syntax"),
        (b'{"a":NaN}', "json.syntax"),
        (b"{'a':1}", "json.syntax"),
        (b'{"a":"\t"}', "json.syntax"),
        (b'{"a":"\\x41"}', "json.syntax"),
        (b'{"a":"\\u12"}', "json.syntax"),
        (b"{/* c */}", "json.syntax"),
        pytest.param(b"[" * 100_000, "json.too-deep", id="many brackets"),
        pytest.param(b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "json.too-deep", id="deep"),
        pytest.param(b"[" + b"0," * MAX_VALUES + b"0]", "json.too-many-values", id="many values"),
        pytest.param(b" " * (MAX_MANIFEST_BYTES + 1), "json.too-large", id="too large"),
    ],
)
@pytest.mark.parametrize("lenient", [True, False])
def test_what_is_not_one_json_object_is_refused(raw, code, lenient):
    assert refusal(raw, lenient=lenient) == f"manifest.{code}"


def test_a_syntax_error_has_a_place():
    with pytest.raises(ManifestError) as caught:
        parse_manifest(b'{\n  "Packages": {}\n  "Marbles": {}\n}')
    (violation,) = caught.value.violations
    assert (violation.line, violation.column) == (3, 3)
    assert "',' or '}'" in violation.message


def test_invalid_utf8_is_refused_strictly_and_replaced_byte_by_byte_leniently():
    raw = GOOD.replace(b'"aa"', b'"a\xe2\x82a"')
    assert refusal(raw) == "manifest.json.not-utf8"
    assert parse_manifest(raw, lenient=True).packages["p"].unique_id == "a\ufffd\ufffda"


def test_half_a_surrogate_pair_is_refused_strictly_and_replaced_leniently():
    raw = GOOD.replace(b'"aa"', b'"\\ud83d\\ude00\\ud83dx"')
    assert refusal(raw) == "manifest.json.lone-surrogate"
    assert parse_manifest(raw, lenient=True).packages["p"].unique_id == "😀\ufffdx"


def test_keys_are_read_in_any_case_also_strictly():
    raw = GOOD.lower()
    assert parse_manifest(raw).packages["p"].unique_id == "aa"
    kelvin = GOOD.replace(b"Packages", "Pac\u212aages".encode())
    assert set(parse_manifest(kelvin).packages) == {"p"}


def test_an_exact_key_and_another_spelling_of_it_are_the_same_key():
    raw = b"{" + PACKAGES + b',"packages":{"q":{"UniqueID":"bb"}},' + MARBLES + b"}"
    assert refusal(raw) == "manifest.duplicate-key"
    assert set(parse_manifest(raw, lenient=True).packages) == {"p", "q"}


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (b'"MaxActivations":1,"MaxActivations":2', 2),
        (b'"MaxActivations":1,"MaxActivations":null', 1),
    ],
)
def test_of_repeated_scalars_the_last_counts_leniently_and_null_leaves_it(inner, expected):
    raw = GOOD.replace(b'"Package":"p"', b'"Package":"p",' + inner)
    if expected == 2:
        assert refusal(raw) == "manifest.duplicate-key"
    manifest = parse_manifest(raw, lenient=True)
    # MaxActivations is a plain number in Go, so that null leaves what was there.
    assert manifest.marbles["a"].max_activations == expected


def test_repeated_objects_merge_leniently_and_null_empties_a_map():
    config = b',"Config":{"SealMode":"Disabled"},"Config":{"RotateRootSecret":true}}'
    manifest = parse_manifest(GOOD[:-1] + config, lenient=True)
    assert (manifest.config.seal_mode, manifest.config.rotate_root_secret) == ("Disabled", True)
    secrets = b',"Secrets":{"s":{"Type":"cert-ed25519"}},"Secrets":null}'
    assert parse_manifest(GOOD[:-1] + secrets, lenient=True).secrets == {}


def test_a_repeated_name_replaces_the_whole_entry_leniently():
    raw = GOOD[:-1] + b',"Secrets":{"s":{"Type":"plain","UserDefined":true},"s":{"Type":"cert-ed25519"}}}'
    secret = parse_manifest(raw, lenient=True).secrets["s"]
    assert (secret.type, secret.user_defined) == ("cert-ed25519", False)


def test_a_type_error_in_a_repeated_entry_is_refused_leniently_too():
    raw = GOOD[:-1] + b',"Config":5,"Config":{}}'
    assert refusal(raw, lenient=True) == "manifest.wrong-type"


def test_null_is_as_good_as_absent():
    raw = GOOD[:-1] + b',"Config":null,"TLS":null,"Users":null,"Infrastructures":null,"Access":null}'
    with pytest.raises(ManifestError) as caught:
        parse_manifest(raw)
    assert [v.code for v in caught.value.violations] == ["manifest.gate.missing"]
    assert parse_manifest(raw.replace(b',"Access":null', b"")).tls == {}


@pytest.mark.parametrize("number", ["1.0", "1e0", "-0", "-1", "18446744073709551616", "9" * 5000])
def test_numbers_are_read_by_their_spelling_as_go_does(number):
    raw = GOOD.replace(b'"Package":"p"', b'"Package":"p","MaxActivations":' + number.encode())
    assert refusal(raw, lenient=True) == "manifest.out-of-range"


def test_a_gated_field_without_its_gate_is_refused_leniently_too(codes):
    assert codes({"Access": []}, lenient=True) == ["manifest.gate.missing"]


def test_the_fingerprint_is_over_the_raw_bytes():
    assert fingerprint(b"{}") == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_manifest_of_three_megabytes_is_accepted(document):
    parse_manifest(document({"Marbles/baker/Parameters/Env/BIG": "x" * 3_000_000}))


def test_the_time_to_parse_grows_with_the_manifest_and_not_faster(document):
    def large(count: int) -> bytes:
        parameters = {"Env": {f"E{j}": "{{ hex .Secrets.s }}" for j in range(10)}}
        secret = {"Type": "symmetric-key", "Size": 256, "Shared": True}
        return document(
            {
                "Marbles": {f"m{i}": {"Package": "oven", "Parameters": parameters} for i in range(count)},
                "Secrets": {f"s{i}": secret for i in range(count)},
            }
        )

    def cost(raw: bytes) -> float:
        runs = []
        for _ in range(3):
            start = process_time()
            parse_manifest(raw)
            runs.append(process_time() - start)
        return min(runs)

    assert len(parse_manifest(large(1000)).marbles) == 1000
    assert cost(large(1000)) < 40 * cost(large(100))
