# ruff: noqa: E501 - a table of statements
"""What the host does to the file while nobody looks, and while the Coordinator runs."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from sealmesh.coordinator.ports import Change, SealPlan
from sealmesh.errors.store import SealedDataError
from sealmesh.manifest import SealMode

PLAN = SealPlan(mode=SealMode.PRODUCT_KEY)


@pytest.fixture
def data(tmp_path):
    return tmp_path / "seal" / "sealed_data"


@pytest.fixture
def history(seat, data, tmp_path):
    """A state with a past: `old` is the file of before, `data` the present one."""
    place = seat()
    place.found(Change(puts={"a": b"a1", "b": b"b1", "limit": b"1"}, appends=(b"leaf 0",)), PLAN)
    place.store().commit(Change(puts={"gone": b"1"}))
    place.close()
    old = tmp_path / "old"
    shutil.copy(data, old)
    place = seat()
    place.store().commit(Change(puts={"a": b"a2", "limit": b"2", "gone": None}, appends=(b"leaf 1",)))
    place.store().commit(Change(puts={"c": b"c1"}, appends=(b"leaf 2",)))
    place.close()
    return old


def edit(path, *statements, old=None):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if old is not None:
            connection.execute("ATTACH ? AS old", (str(old),))
        for statement in statements:
            connection.execute(statement)


ATTACKS = {
    "an older version of one record put back": (
        "UPDATE record SET (version, sealed) = (SELECT version, sealed FROM old.record WHERE name = 'a') WHERE name = 'a'",
    ),
    "an older envelope under the new version": (
        "UPDATE record SET sealed = (SELECT sealed FROM old.record WHERE name = 'limit') WHERE name = 'limit'",
    ),
    "a record moved to another name": (
        "UPDATE record SET sealed = (SELECT sealed FROM record WHERE name = 'b') WHERE name = 'c'",
    ),
    "two records exchanged": (
        "UPDATE record SET name = 'x' WHERE name = 'a'",
        "UPDATE record SET name = 'a' WHERE name = 'b'",
        "UPDATE record SET name = 'b' WHERE name = 'x'",
    ),
    "a record renamed": ("UPDATE record SET name = 'other' WHERE name = 'a'",),
    "a record removed": ("DELETE FROM record WHERE name = 'limit'",),
    "the newest record removed": ("DELETE FROM record WHERE name = 'c'",),
    "the mark of a deletion removed": ("DELETE FROM record WHERE name = 'gone'",),
    "a deleted record brought back": ("UPDATE record SET live = 1 WHERE name = 'gone'",),
    "a deleted record brought back as it was": (
        "UPDATE record SET (version, live, sealed) = (SELECT version, live, sealed FROM old.record WHERE name = 'gone') WHERE name = 'gone'",
    ),
    "a record declared deleted": ("UPDATE record SET live = 0 WHERE name = 'a'",),
    "all records of the past": ("DELETE FROM record", "INSERT INTO record SELECT * FROM old.record"),
    "the head of the past": ("DELETE FROM head", "INSERT INTO head SELECT * FROM old.head"),
    "head and one record of the past": (
        "DELETE FROM head",
        "INSERT INTO head SELECT * FROM old.head",
        "UPDATE record SET (version, sealed) = (SELECT version, sealed FROM old.record WHERE name = 'a') WHERE name = 'a'",
    ),
    "no head": ("DELETE FROM head",),
    "a record's version raised": ("UPDATE record SET version = 4 WHERE name = 'b'",),
    "a record's version beyond all": ("UPDATE record SET version = 99 WHERE name = 'b'",),
    "a record's version of another type": ("UPDATE record SET version = 'one' WHERE name = 'b'",),
    "a record's envelope of another type": ("UPDATE record SET sealed = 'text' WHERE name = 'b'",),
    "a record's envelope empty": ("UPDATE record SET sealed = x'' WHERE name = 'b'",),
    "an unknown liveness": ("UPDATE record SET live = 2 WHERE name = 'b'",),
    "a record too many": (
        "INSERT INTO record (name, version, live, sealed) SELECT 'd', version, live, sealed FROM record WHERE name = 'b'",
    ),
    "the head's version raised": ("UPDATE head SET version = 5",),
    "the head's version negative": ("UPDATE head SET version = -1",),
    "the head's generation raised": ("UPDATE head SET generation = 2",),
    "both generations raised": ("UPDATE head SET generation = 2", "UPDATE seal SET generation = 2"),
    "the wrapped key emptied": ("UPDATE seal SET wrapped = x''",),
    "the seal mode exchanged": ("UPDATE seal SET mode = 'UniqueKey'",),
    "the recovery data garbage": ("UPDATE seal SET recovery = x'00'",),
    "no plain row": ("DELETE FROM seal",),
    "a table too many": ("CREATE TABLE extra (x)",),
    "a trigger": ("CREATE TRIGGER t AFTER INSERT ON leaf BEGIN DELETE FROM record; END",),
    "a view": ("CREATE VIEW v AS SELECT 1",),
    "a table taken away": ("DROP TABLE leaf",),
    "another schema version": ("PRAGMA user_version = 2",),
    "another application": ("PRAGMA application_id = 0",),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_file_that_was_changed_is_refused(seat, data, history, attack):
    edit(data, *ATTACKS[attack], old=history)
    with pytest.raises(SealedDataError):
        seat().store().load()
    with pytest.raises(SealedDataError):
        seat().store().commit(Change(puts={"new": b"1"}))


LEAF_ATTACKS = {
    "a leaf removed": ("DELETE FROM leaf WHERE number = 1",),
    "the last leaf removed": ("DELETE FROM leaf WHERE number = 2",),
    "two leaves exchanged": (
        "UPDATE leaf SET number = 9 WHERE number = 0",
        "UPDATE leaf SET number = 0 WHERE number = 1",
        "UPDATE leaf SET number = 1 WHERE number = 9",
    ),
    "a leaf of another type": ("UPDATE leaf SET sealed = 1 WHERE number = 1",),
    "a leaf's version changed": ("UPDATE leaf SET version = 4 WHERE number = 1",),
}


@pytest.mark.parametrize("attack", LEAF_ATTACKS)
def test_a_changed_ledger_is_refused(seat, data, history, attack):
    edit(data, *LEAF_ATTACKS[attack])
    with pytest.raises(SealedDataError):
        seat().store().leaves(0, 3)


def test_a_leaf_too_many_is_not_served(seat, data, history):
    edit(
        data,
        "INSERT INTO leaf (number, version, sealed) SELECT 3, version, sealed FROM leaf WHERE number = 2",
    )
    assert seat().store().leaves(0, 9) == [b"leaf 0", b"leaf 1", b"leaf 2"]


def test_untouched_it_opens(seat, history):
    store = seat().store()
    assert {record.key: record.value for record in store.load().records} == {
        "a": b"a2",
        "b": b"b1",
        "c": b"c1",
        "limit": b"2",
    }
    assert store.leaves(0, 3) == [b"leaf 0", b"leaf 1", b"leaf 2"]


RUNNING = {
    "an older record": "UPDATE record SET (version, sealed) = (SELECT version, sealed FROM old.record WHERE name = 'limit') WHERE name = 'limit'",
    "the head of the past": "UPDATE head SET (version, sealed) = (SELECT version, sealed FROM old.head)",
    "a record removed": "DELETE FROM record WHERE name = 'limit'",
}


@pytest.mark.parametrize("attack", RUNNING)
def test_a_change_to_the_file_of_a_running_coordinator_is_noticed(seat, data, history, attack):
    place = seat()
    store = place.store()
    store.load()
    edit(data, RUNNING[attack], old=history)
    with pytest.raises(SealedDataError):
        store.load()
    with pytest.raises(SealedDataError):
        seat().store().load()


def test_a_record_removed_before_a_late_reader_asks_is_noticed(seat, data, history):
    store = seat().store()
    seen = store.load().version
    store.commit(Change(puts={"limit": b"3"}))
    edit(data, "DELETE FROM record WHERE name = 'limit'")
    with pytest.raises(SealedDataError):
        store.load(seen)


def test_the_whole_past_put_back_under_a_running_coordinator_is_noticed(seat, data, history):
    store = seat().store()
    store.load()
    edit(
        data,
        *(f"DELETE FROM {table}" for table in ("record", "leaf", "head", "seal")),
        *(f"INSERT INTO {table} SELECT * FROM old.{table}" for table in ("record", "leaf", "head", "seal")),
        old=history,
    )
    for use in (store.load, store.frontier, lambda: store.commit(Change(puts={"x": b"1"}))):
        with pytest.raises(SealedDataError):
            use()


def test_a_refused_commit_leaves_the_file_as_it_was(seat, data, history):
    store = seat().store()
    edit(data, ATTACKS["the head's version raised"][0])
    with pytest.raises(SealedDataError):
        store.commit(Change(puts={"x": b"1"}))
    with closing(sqlite3.connect(data)) as connection:
        assert connection.execute("SELECT count(*) FROM record WHERE name = 'x'").fetchone() == (0,)
