"""The contract of the port `Store`, against every adapter."""

import hashlib
import os
import threading

import pytest

from sealmesh.adapters.sealer import PlatformKeys, Sealer
from sealmesh.adapters.store import MemoryStore, SealedSeat
from sealmesh.coordinator.ports import Change, Record, SealPlan
from sealmesh.errors.store import StoreConflict, StoreError
from sealmesh.manifest import SealMode


def sealed_seat(directory):
    sealer = Sealer(
        [PlatformKeys(lambda mode, security_version: hashlib.sha256(mode.encode()).digest())],
        entropy=os.urandom,
    )
    return SealedSeat(directory, sealer=sealer, entropy=os.urandom)


@pytest.fixture(params=["memory", "sqlite", "sqlite opened again"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryStore()
        return
    seat = sealed_seat(tmp_path / "seal")
    seat.found(Change(), SealPlan(mode=SealMode.PRODUCT_KEY))
    if request.param == "sqlite opened again":
        seat.close()
        seat = sealed_seat(tmp_path / "seal")
    yield seat.store()
    seat.close()


def put(store, **values):
    return store.commit(Change(puts=values))


def records(snapshot):
    return {record.key: record.value for record in snapshot.records}


def test_a_new_store_is_empty(store):
    assert store.version() == 0
    assert store.load().records == ()
    assert store.leaf_count() == 0
    assert store.frontier() == (0, ())
    assert store.leaves(0, 10) == []


def test_what_is_committed_is_loaded_with_its_version(store):
    assert put(store, a=b"1", b=b"") == 1
    assert put(store, a=b"2") == 2
    snapshot = store.load()
    assert snapshot.version == store.version() == 2
    assert snapshot.records == (
        Record(key="a", version=2, value=b"2"),
        Record(key="b", version=1, value=b""),
    )


def test_only_what_changed_since_is_loaded(store):
    put(store, a=b"1")
    put(store, b=b"2")
    put(store, c=b"3")
    assert records(store.load(1)) == {"b": b"2", "c": b"3"}
    assert store.load(3).records == ()
    assert store.load(3).version == 3
    assert store.load(99).records == ()


def test_a_deleted_record_is_gone_from_a_full_load_and_named_in_the_next(store):
    put(store, a=b"1", b=b"2")
    put(store, a=None)
    assert records(store.load()) == {"b": b"2"}
    assert store.load(1).records == (Record(key="a", version=2, value=None),)
    put(store, a=b"again")
    assert records(store.load()) == {"a": b"again", "b": b"2"}


def test_deleting_what_is_not_there_is_no_error(store):
    assert put(store, a=None) == 1
    assert records(store.load()) == {}


@pytest.mark.parametrize(
    ("expects", "holds"),
    [
        ({"a": 1}, True),
        ({"a": 0}, False),
        ({"a": 2}, False),
        ({"b": 0}, True),
        ({"b": 1}, False),
        ({"gone": 0}, True),
        ({"gone": 2}, True),
        ({"gone": 1}, False),
        ({"a": 1, "b": 0, "gone": 0}, True),
        ({"a": 1, "b": 3}, False),
    ],
)
def test_a_change_is_committed_only_if_what_it_expects_holds(store, expects, holds):
    put(store, a=b"1", gone=b"1")
    put(store, gone=None)
    change = Change(puts={"x": b"new"}, expects=expects, appends=(b"leaf",))
    if holds:
        assert store.commit(change) == 3
        return
    with pytest.raises(StoreConflict) as caught:
        store.commit(change)
    assert caught.value.key in expects
    assert store.version() == 2
    assert "x" not in records(store.load())
    assert store.leaf_count() == 0


def test_a_change_without_content_checks_and_keeps_the_version(store):
    put(store, a=b"1")
    assert store.commit(Change(expects={"a": 1})) == 1
    with pytest.raises(StoreConflict):
        store.commit(Change(expects={"a": 5}))
    assert store.version() == 1


def test_leaves_are_appended_in_order_with_their_frontier(store):
    store.commit(Change(appends=(b"0", b"1")))
    store.commit(Change(puts={"a": b"x"}, appends=(b"2",)))
    assert store.leaf_count() == 3
    assert store.leaves(0, 3) == [b"0", b"1", b"2"]
    assert store.leaves(1, 2) == [b"1"]
    assert store.leaves(2, 99) == [b"2"]
    assert store.leaves(2, 1) == []

    def leaf(data):
        return hashlib.sha256(b"\0" + data).digest()

    pair = hashlib.sha256(b"\1" + leaf(b"0") + leaf(b"1")).digest()
    assert store.frontier() == (3, (pair, leaf(b"2")))


def test_names_and_values_may_be_anything(store):
    value = bytes(range(256)) * 1000
    put(store, **{"": b"empty", "ü/☃": value, "a'b\"c\0d": b"q", "A": b"1", "a": b"2"})
    assert records(store.load()) == {"": b"empty", "ü/☃": value, "a'b\"c\0d": b"q", "A": b"1", "a": b"2"}


def test_concurrent_commits_each_succeed_or_conflict_alone(store):
    """Every thread counts one counter up by compare-and-swap; no count is lost and none counted twice."""
    put(store, counter=b"0")
    threads, per_thread = 8, 12
    failures = []

    def count():
        try:
            for _ in range(per_thread):
                while True:
                    record = next(item for item in store.load().records if item.key == "counter")
                    new = str(int(record.value) + 1).encode()
                    try:
                        store.commit(
                            Change(puts={"counter": new}, expects={"counter": record.version}, appends=(new,))
                        )
                    except StoreConflict:
                        continue
                    break
        except Exception as error:
            failures.append(error)

    running = [threading.Thread(target=count) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert not failures
    assert records(store.load()) == {"counter": str(threads * per_thread).encode()}
    assert store.leaves(0, 1000) == [str(number).encode() for number in range(1, threads * per_thread + 1)]
    assert store.version() == threads * per_thread + 1


def test_a_closed_store_says_so(store):
    store.close()
    store.close()
    for use in (store.load, store.version, store.frontier, lambda: store.commit(Change(puts={"a": b"1"}))):
        with pytest.raises(StoreError):
            use()
