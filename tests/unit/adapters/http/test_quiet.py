"""What `h2` would say to a log is not made."""

import logging

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from hyperframe.frame import DataFrame

import sealmesh.adapters.http.http2  # keeps them quiet  # noqa: F401


def test_an_exchange_asks_no_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(logging.Logger, "debug", lambda *line: asked.append(line))
    client, server = H2Connection(), H2Connection(H2Configuration(client_side=False))
    client.initiate_connection()
    client.send_headers(1, [(":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", "a")])

    server.receive_data(client.data_to_send())

    assert server.streams
    assert asked == []


def test_a_frame_says_in_short_what_it_is() -> None:
    assert repr(DataFrame(7, b"x" * 10_000)) == "DataFrame(stream_id=7)"
