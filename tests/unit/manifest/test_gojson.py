"""Request bodies, as Go reads them (COMPAT section 3)."""

import pytest

from sealmesh.errors.manifest import JsonError
from sealmesh.wire.gojson import BYTES, FLAG, TEXT, UINT64, ListKind, MapKind, ObjectKind, read_object

FIELDS = {
    "name": TEXT,
    "value": UINT64,
    "data": BYTES,
    "on": FLAG,
    "secrets": MapKind(ObjectKind({"Key": BYTES, "Cert": BYTES})),
    "list": ListKind(TEXT),
}


def read(raw: str):
    return read_object(raw.encode(), FIELDS)


@pytest.mark.parametrize(
    "raw", ["{}", "null", '{"name":null,"value":null,"data":null,"on":null,"list":null}', '{"other":1}']
)
def test_what_is_absent_or_null_has_its_default(raw):
    record = read(raw)
    assert (record.text("name"), record.unsigned("value"), record.bytes("data")) == ("", 0, b"")
    assert (record.flag("on"), record.texts("list"), record.records("secrets")) == (False, (), {})


def test_names_match_in_any_case_and_what_follows_is_ignored():
    assert read('{"NAME":"x","Value":5,"other":{}} trailing').text("name") == "x"


@pytest.mark.parametrize(
    ("written", "data"),
    [
        ('"aGk="', b"hi"),
        ('"aG\\nk\\r="', b"hi"),
        ("[104,105]", b"hi"),
        ("[]", b""),
        ('""', b""),
        ("[null]", b"\0"),
    ],
)
def test_bytes_are_base64_or_numbers(written, data):
    assert read(f'{{"data":{written}}}').bytes("data") == data


@pytest.mark.parametrize(
    "written",
    [
        '"aGk"',
        '"e30_"',
        '"@@@@"',
        "5",
        "{}",
        "[256]",
        "[-1]",
        "[1.5]",
        '["a"]',
        '"aGk=="',
        '"a=Gk"',
        '"aG k="',
    ],
)
def test_other_bytes_are_refused(written):
    with pytest.raises(JsonError) as caught:
        read(f'{{"data":{written}}}')
    assert caught.value.code == "json.wrong-type"


@pytest.mark.parametrize("written", ["-1", "1.5", "1e2", '"1"', "18446744073709551616", "true", "-0"])
def test_other_numbers_are_refused(written):
    with pytest.raises(JsonError):
        read(f'{{"value":{written}}}')


def test_the_largest_number_is_taken():
    assert read('{"value":18446744073709551615}').unsigned("value") == 2**64 - 1


@pytest.mark.parametrize(
    "raw", ["", "hello", "[]", '"x"', "5", "{", '{"name":5}', '{"on":1}', '{"secrets":[]}', '{"list":{}}']
)
def test_what_is_no_such_object_is_refused(raw):
    with pytest.raises(JsonError) as caught:
        read(raw)
    assert caught.value.line == 1


def test_maps_of_objects():
    secrets = read('{"secrets":{"a":{"key":"aGk="},"b":null,"a":{"Cert":"aGk="}}}').records("secrets")
    assert secrets["a"].bytes("Key") == b""
    assert secrets["a"].bytes("Cert") == b"hi"
    assert secrets["b"].bytes("Key") == b""


def test_of_repeated_fields_the_last_counts_and_maps_merge():
    record = read('{"value":1,"value":2,"secrets":{"a":{}},"secrets":{"b":{}}}')
    assert record.unsigned("value") == 2
    assert set(record.records("secrets")) == {"a", "b"}


def test_asking_for_another_kind_is_our_own_fault():
    with pytest.raises(TypeError):
        read("{}").text("value")
