"""Any body gives a record or a `JsonError`."""

import json
from base64 import b64encode

from hypothesis import given, settings
from hypothesis import strategies as st

from sealmesh.errors.manifest import JsonError
from sealmesh.wire.gojson import BYTES, TEXT, UINT64, ListKind, MapKind, ObjectKind, read_object

FIELDS = {
    "name": TEXT,
    "value": UINT64,
    "data": BYTES,
    "all": MapKind(ObjectKind({"Key": BYTES})),
    "list": ListKind(TEXT),
}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_record_or_our_error(raw):
    try:
        record = read_object(raw, FIELDS)
    except JsonError:
        return
    assert set(record.values) == set(FIELDS)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["name", "VALUE", "Data", "all", "ALL", "list", "x"]), values, max_size=5)
)
def test_any_fields_give_a_record_or_our_error(body):
    try:
        record = read_object(json.dumps(body).encode(), FIELDS)
    except JsonError:
        return
    record.text("name"), record.unsigned("value"), record.bytes("data"), record.texts("list")
    for item in record.records("all").values():
        item.bytes("Key")


@settings(deadline=None)
@given(st.text(), st.integers(0, 2**64 - 1), st.binary())
def test_what_was_sent_is_read(name, value, data):
    body = {"NAME": name, "value": value, "data": b64encode(data).decode(), "list": [name]}
    record = read_object(json.dumps(body).encode(), FIELDS)
    assert (record.text("name"), record.unsigned("value"), record.bytes("data")) == (name, value, data)
    assert record.texts("list") == (name,)
