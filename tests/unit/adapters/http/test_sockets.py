"""Binding where somebody else still is."""

import socket
import threading

import pytest

from sealmesh.adapters.http import bind
from sealmesh.errors.configuration import ConfigurationError


@pytest.fixture
def predecessor():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_a_port_in_use_is_refused_at_once_without_patience(predecessor):
    port = predecessor.getsockname()[1]
    with pytest.raises(ConfigurationError, match="cannot listen") as refused:
        bind("127.0.0.1", port)
    assert str(port) in refused.value.found


def test_a_port_is_taken_over_when_its_predecessor_has_ended(predecessor):
    port = predecessor.getsockname()[1]
    leaving = threading.Timer(0.2, predecessor.close)
    leaving.start()
    (taken,) = bind("127.0.0.1", port, patience_seconds=30)
    with taken:
        assert taken.getsockname()[1] == port
    leaving.join()


def test_patience_ends(predecessor):
    with pytest.raises(ConfigurationError, match="cannot listen"):
        bind("127.0.0.1", predecessor.getsockname()[1], patience_seconds=0.1)
