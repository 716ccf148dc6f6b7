"""Counters as data."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from sealmesh.adapters.telemetry.snapshot import add_up, from_json, gauge, render, take, to_json


@pytest.fixture
def registry():
    registry = CollectorRegistry()
    Counter("rolls_total", "Rolls", ["kind"], registry=registry).labels('poppy "x"\n').inc(3)
    Histogram("oven_seconds", "Time", ["tray"], buckets=(0.5, 1), registry=registry).labels("a").observe(0.7)
    Gauge("hot", "Hot", registry=registry).set(2)
    Counter("unused_total", "Without a label value", ["kind"], registry=registry)
    return registry


def test_the_text_format_is_go_s(registry):
    assert render(take(registry)).decode() == (
        "# HELP rolls_total Rolls\n"
        "# TYPE rolls_total counter\n"
        'rolls_total{kind="poppy \\"x\\"\\n"} 3.0\n'
        "# HELP oven_seconds Time\n"
        "# TYPE oven_seconds histogram\n"
        'oven_seconds_bucket{le="0.5",tray="a"} 0.0\n'
        'oven_seconds_bucket{le="1",tray="a"} 1.0\n'
        'oven_seconds_bucket{le="+Inf",tray="a"} 1.0\n'
        'oven_seconds_count{tray="a"} 1.0\n'
        'oven_seconds_sum{tray="a"} 0.7\n'
        "# HELP hot Hot\n"
        "# TYPE hot gauge\n"
        "hot 2.0\n"
    )


def test_a_snapshot_survives_the_way_to_another_worker(registry):
    snapshot = take(registry)
    assert from_json(to_json(snapshot)) == snapshot


@pytest.mark.parametrize("raw", [b"", b"{", b"3", b"[3]", b'[["a"]]', b'[["a","b","c",[[1]]]]'])
def test_what_is_no_snapshot_is_refused(raw):
    with pytest.raises(ValueError):
        from_json(raw)


def test_samples_with_the_same_labels_are_added_up(registry):
    text = render(add_up([take(registry)] * 3)).decode()
    assert 'rolls_total{kind="poppy \\"x\\"\\n"} 9.0' in text
    assert 'oven_seconds_bucket{le="1",tray="a"} 3.0' in text
    assert text.count("# TYPE") == 3


def test_what_only_one_worker_has_is_there():
    one, two = (gauge("places", "", value, place=place) for value, place in ((1, "x"), (2, "y")))
    text = render(add_up([(one,), (two,), ()])).decode()
    assert 'places{place="x"} 1.0\nplaces{place="y"} 2.0\n' in text
