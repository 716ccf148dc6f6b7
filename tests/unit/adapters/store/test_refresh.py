"""Reading what changed: a process that reads little after its own commits still misses no other's."""

import sqlite3

import pytest

from sealmesh.coordinator.ports import Change, SealPlan
from sealmesh.errors.store import SealedDataError
from sealmesh.manifest import SealMode


@pytest.fixture
def workers(seat):
    """Two processes on one state with the record `a`."""
    first = seat()
    first.found(Change(puts={"a": b"1"}), SealPlan(mode=SealMode.PRODUCT_KEY))
    return first.store(), seat().store()


def names(snapshot):
    return [record.key for record in snapshot.records]


def test_after_its_own_admissions_a_worker_reads_no_rows(workers):
    store, _ = workers
    before = store.load().version
    asked = []

    for number in range(3):
        store.commit(Change(appends=(b"leaf %d" % number,)))
    store._reader.set_trace_callback(asked.append)
    snapshot = store.load(before)

    assert (snapshot.version, snapshot.records) == (before + 3, ())
    assert not [statement for statement in asked if "record" in statement]


def test_between_its_own_admissions_a_worker_sees_what_another_wrote(workers):
    store, other = workers
    before = store.load().version

    store.commit(Change(appends=(b"mine",)))
    other.commit(Change(puts={"b": b"2"}, appends=(b"theirs",)))
    store.commit(Change(appends=(b"mine again",)))

    snapshot = store.load(before)
    assert names(snapshot) == ["b"]
    assert snapshot.version == store.version() == before + 3
    assert store.load(snapshot.version).records == ()


def test_what_another_wrote_last_is_seen_at_once(workers):
    store, other = workers
    before = store.load().version

    store.commit(Change(appends=(b"mine",)))
    other.commit(Change(puts={"a": None}))

    snapshot = store.load(before)
    assert [(record.key, record.value) for record in snapshot.records] == [("a", None)]


def test_a_record_of_its_own_commit_is_loaded(workers):
    store, _ = workers
    before = store.load().version

    store.commit(Change(puts={"c": b"3"}))

    assert names(store.load(before)) == ["c"]


def test_a_head_put_back_by_the_host_is_noticed_though_little_is_read(workers, tmp_path):
    store, _ = workers
    file = sqlite3.connect(tmp_path / "seal" / "sealed_data", isolation_level=None)
    old = file.execute("SELECT version, generation, sealed FROM head").fetchone()
    store.commit(Change(appends=(b"leaf",)))
    before = store.load().version

    file.execute("UPDATE head SET version = ?, generation = ?, sealed = ?", old)
    file.close()

    with pytest.raises(SealedDataError):
        store.load(before)
    with pytest.raises(SealedDataError):
        store.commit(Change(appends=(b"another",)))
