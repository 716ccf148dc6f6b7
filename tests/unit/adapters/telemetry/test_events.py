"""The last activations."""

import json
from datetime import UTC, datetime, timedelta, timezone

from sealmesh.adapters.telemetry.events import MAX_QUOTE_BYTES_OF_ONE, EventLog, render_events

NOON = datetime(2031, 2, 3, 12, 0, 0, 7, tzinfo=UTC)


def add(log, number=0, quote=b"quote", time=None):
    log.add(
        time=time or NOON + timedelta(seconds=number), marble_type="baker", uuid=f"u{number}", quote=quote
    )


def uuids(log):
    return [event["activation"]["uuid"] for event in log.documents()]


def test_no_events_are_null():
    assert json.loads(render_events(EventLog().documents())) is None


def test_an_event_has_time_type_uuid_and_quote():
    log = EventLog()
    add(log)
    assert json.loads(render_events(log.documents())) == [
        {
            "time": "2031-02-03T12:00:00.000007Z",
            "activation": {"marbleType": "baker", "uuid": "u0", "quote": "cXVvdGU="},
        }
    ]


def test_a_marble_without_evidence_has_no_quote():
    log = EventLog()
    add(log, quote=b"")
    assert log.documents()[0]["activation"]["quote"] is None


def test_times_are_utc_with_a_fraction_even_on_the_full_second():
    log = EventLog()
    add(log, time=datetime(2031, 2, 3, 14, tzinfo=timezone(timedelta(hours=2))))
    assert log.documents()[0]["time"] == "2031-02-03T12:00:00.000000Z"


def test_the_oldest_events_go():
    log = EventLog(events=3)
    for number in range(10):
        add(log, number)
    assert uuids(log) == ["u7", "u8", "u9"]


def test_the_evidence_of_all_events_is_bounded_together():
    log = EventLog(quote_bytes=100)
    for number in range(10):
        add(log, number, b"x" * 40)
    assert uuids(log) == ["u8", "u9"]
    add(log, 10, b"")
    assert uuids(log) == ["u8", "u9", "u10"]


def test_what_is_too_large_to_be_evidence_is_left_out():
    log = EventLog()
    add(log, quote=bytes(MAX_QUOTE_BYTES_OF_ONE + 1))
    assert uuids(log) == ["u0"]
    assert log.documents()[0]["activation"]["quote"] is None


def test_events_of_several_workers_come_in_the_order_of_time():
    one, two = EventLog(), EventLog()
    for number in (0, 2):
        add(one, number)
    add(two, 1)
    found = json.loads(render_events([*one.documents(), *two.documents()]))
    assert [event["activation"]["uuid"] for event in found] == ["u0", "u1", "u2"]
