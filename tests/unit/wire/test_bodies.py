"""Request bodies of v1 and v2."""

from base64 import b64encode

import pytest

from sealmesh.errors.transport import BodyRefused
from sealmesh.wire import bodies


def test_v1_and_v2_uploads_are_the_same_within() -> None:
    inner = b'{"a":{"key":"aw==","PRIVATE":[1,2]},"b":null,"b":{"Cert":"-----BEGIN"}}'
    v1 = bodies.parse_uploads_v1(inner)
    assert v1 == bodies.parse_uploads_v2(b'{"Secrets":' + inner + b"}")
    assert v1["a"] == bodies.Upload(certificate=b"", private=b"\1\2", key=b"k")
    assert v1["b"] == bodies.Upload(certificate=b"", private=b"", key=b"")


def test_what_follows_a_v1_upload_is_ignored() -> None:
    assert bodies.parse_uploads_v1(b'{} , "secrets": {"a": {}}') == {}
    assert bodies.parse_uploads_v1(b"null trailing") == {}


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"[]", b'"a"', b'{"a":5}', b"{" * 100_000, b"[" * 100_000, b"\xff"]
)
def test_what_is_no_upload_is_refused(raw: bytes) -> None:
    for parse in (bodies.parse_uploads_v1, bodies.parse_uploads_v2):
        if parse is bodies.parse_uploads_v2 and raw == b'{"a":5}':
            continue  # an unknown field
        with pytest.raises(BodyRefused):
            parse(raw)


def test_only_the_beginning_of_a_recover_body_is_read() -> None:
    fitting = b'{"recoverySecret":"' + b64encode(b"k" * 32) + b'"}'
    assert bodies.parse_recover_body(fitting + b" " * 50_000).secret == b"k" * 32
    with pytest.raises(BodyRefused):
        bodies.parse_recover_body(b'{"recoverySecret":"' + b64encode(b"k" * 20_480) + b'"}')


def test_a_missing_counter_value_is_zero() -> None:
    assert bodies.parse_counter_body(b'{"name":"n"}') == bodies.CounterStep(name="n", value=0)
