"""Records by shelf, refreshed by what changed."""

from sealmesh.coordinator import places
from sealmesh.coordinator.ports import Record, Snapshot
from sealmesh.coordinator.shelves import Shelves


def snapshot(version, **records):
    return Snapshot(
        version=version,
        records=tuple(
            Record(key=key.replace("__", "/"), version=version, value=value) for key, value in records.items()
        ),
    )


def test_a_refresh_shows_what_was_written():
    shelves = Shelves().refreshed(snapshot(3, state__manifest=b"m", secret__a=b"1"))
    assert shelves.version == 3
    assert shelves.value("secret/a") == b"1"
    assert shelves.version_of("state/manifest") == 3
    assert sorted(shelves.keys()) == ["secret/a", "state/manifest"]


def test_what_is_absent_has_version_zero():
    assert Shelves().version_of("secret/none") == 0
    assert Shelves().value("secret/none") is None


def test_a_refresh_keeps_shelves_that_did_not_change():
    before = Shelves().refreshed(snapshot(1, state__manifest=b"m", secret__a=b"1"))
    after = before.refreshed(snapshot(2, secret__b=b"2"))
    assert after.shelf("state") is before.shelf("state")
    assert after.shelf("secret") is not before.shelf("secret")
    assert set(after.shelf("secret")) == {"a", "b"}


def test_a_deleted_record_is_gone_and_the_view_before_still_has_it():
    before = Shelves().refreshed(snapshot(1, secret__a=b"1"))
    after = before.refreshed(snapshot(2, secret__a=None))
    assert after.value("secret/a") is None
    assert before.value("secret/a") == b"1"


def test_a_refresh_without_changes_only_moves_the_version():
    before = Shelves().refreshed(snapshot(1, secret__a=b"1"))
    after = before.refreshed(Snapshot(version=5, records=()))
    assert after.version == 5
    assert after.by_name is before.by_name


def test_counters_of_different_marbles_never_share_a_place():
    names = {
        places.counter("a", "b", "c"),
        places.counter('a","b', "b", "c"),
        places.counter("a", "b", 'c","'),
    }
    assert len(names) == 3
    assert {places.shelf_of(name)[0] for name in names} == {"counter"}
