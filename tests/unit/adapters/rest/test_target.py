"""Paths and queries as Go reads them."""

import pytest

from sealmesh.adapters.rest.target import Query, clean_path, decode_path, encode_path
from sealmesh.errors.transport import QueryRefused


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("/", "/"),
        ("/status", "/status"),
        ("/status/", "/status/"),
        ("//status", "/status"),
        ("/api/../status", "/status"),
        ("/..", "/"),
        ("/./a//b/.", "/a/b"),
        ("/a/../../b/", "/b/"),
        ("//", "/"),
    ],
)
def test_paths_are_cleaned(path: str, clean: str) -> None:
    assert clean_path(path) == clean
    assert clean_path(clean) == clean


def test_a_path_survives_decoding_and_encoding() -> None:
    assert decode_path("/a%20b/%C3%BC%FF") == "/a b/ü\udcff"
    assert encode_path("/a b/ü\udcff") == "/a%20b/%C3%BC%FF"
    assert decode_path("/%4") is None


def test_a_query_keeps_order_and_drops_broken_parts() -> None:
    query = Query("s=a&t=1;s=b&s=c+d%26&s=%zz&s&&=x")
    assert query.all("s") == ("a", "c d&", "")
    assert (query.first("s"), query.first("t"), query.first("none")) == ("a", "", "")


@pytest.mark.parametrize(
    "raw", ["n=A", "n=AAA", "n=+A==", "n=%2FAA=", "n=A=AA", "n=AAAA====", "n=%C3%BC%C3%BC"]
)
def test_a_nonce_that_is_no_url_base64_is_refused(raw: str) -> None:
    with pytest.raises(QueryRefused):
        Query(raw).base64("n")


def test_a_nonce_is_url_base64() -> None:
    assert Query("n=_-8=").base64("n") == b"\xff\xef"
    assert Query("n=AA%0AAA").base64("n") == b"\0\0\0"
    assert Query("").base64("n") == b""
