"""Every cap of the servers is written down with its reason, and some test attacks it."""

import inspect
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from sealmesh.adapters.http.limits import Limits
from sealmesh.adapters.rest.limits import CLIENT_LIMITS
from sealmesh.adapters.rpc.limits import MESH_LIMITS

TESTS = Path(__file__).resolve().parents[3]
#: cap -> the test that tries to get past it.
ATTACKED = {
    "handshake_seconds": "integration/test_tls_servers.py::test_a_handshake_that_takes_too_long_is_given_up",
    "linger_seconds": "integration/test_rest_server.py::test_a_slow_http1_peer_is_ended",
    "handshakes": "integration/test_flood.py::test_honest_marbles_activate_during_a_flood",
    "handshakes_per_peer": "integration/test_flood.py::test_honest_marbles_activate_during_a_flood",
    "patience_seconds": "unit/adapters/http/test_waiting_room.py"
    "::test_a_slot_is_kept_for_the_patience_and_then_given_to_who_waits",
    "waiting": "unit/adapters/http/test_waiting_room.py::test_who_finds_no_chair_is_refused",
    "waiting_per_peer": "unit/adapters/http/test_waiting_room.py"
    "::test_one_address_has_its_own_bound_and_others_pass_it",
    "connections": "integration/test_flood.py"
    "::test_established_but_useless_connections_make_room_for_honest_marbles",
    "idle_seconds": "integration/test_mesh_server.py::test_an_idle_connection_is_hung_up_on",
    "request_seconds": "integration/test_mesh_server.py::test_a_slow_sender_is_ended",
    "response_seconds": "integration/test_mesh_server.py::test_a_slow_reader_is_ended",
    "header_bytes": "integration/test_http2_floods.py::test_headers_beyond_the_caps_end_the_connection",
    "header_count": "integration/test_mesh_server.py::test_too_many_headers_are_not_served",
    "body_bytes": "integration/test_mesh_server.py::test_a_message_over_4_mib_is_resource_exhausted",
    "body_bytes_total": "integration/test_mesh_server.py::test_large_messages_together_are_bounded",
    "drain_bytes": "integration/test_mesh_server.py"
    "::test_a_peer_that_sends_on_and_on_after_its_refusal_is_reset",
    "streams": "integration/test_mesh_server.py::test_more_streams_than_allowed_end_the_connection",
    "resets": "integration/test_mesh_server.py::test_a_rapid_reset_flood_ends_the_connection",
    "backlog": "integration/test_flood.py::test_honest_marbles_activate_during_a_flood",
}


def test_every_cap_is_attacked_by_a_test_that_is_there():
    assert is_dataclass(Limits)
    assert {field.name for field in fields(Limits)} == set(ATTACKED)
    for place in set(ATTACKED.values()):
        path, _, name = place.partition("::")
        assert re.search(rf"^(async )?def {name}\(", (TESTS / path).read_text(), re.MULTILINE), place


@pytest.mark.parametrize("field", fields(Limits), ids=lambda field: field.name)
def test_every_cap_says_what_it_is_for(field):
    text = inspect.cleandoc(Limits.__doc__)  # Python 3.13 takes the indentation away, those before do not
    described = re.search(rf"^ {{4}}{field.name}: (.+?)(?=^ {{4}}\w+: |\Z)", text, re.M | re.S)
    assert described is not None
    assert len(described[1].split()) >= 5


@pytest.mark.parametrize("limits", [MESH_LIMITS, CLIENT_LIMITS], ids=["mesh", "client"])
def test_no_cap_is_switched_off_and_those_of_one_peer_are_below_those_of_all(limits):
    assert all(getattr(limits, field.name) > 0 for field in fields(Limits))
    assert limits.handshakes_per_peer < limits.handshakes
    assert limits.waiting_per_peer < limits.waiting
    assert limits.body_bytes <= limits.body_bytes_total
