import os
import shutil
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.adapters.store import MemoryStore
from sealmesh.coordinator.ports import Change, SealPlan
from sealmesh.errors.sealing import RecoverySchemeError
from sealmesh.errors.store import RecoveryNotPossible, SealedDataError, StoreConflict, StoreError
from sealmesh.manifest import SealMode
from sealmesh.sealing import combine_shares, unwrap_share

FIRST = Change(puts={"state/manifest": b"{}", "secret/oven": b"hot"}, appends=(b"manifest set",))
PLAN = SealPlan(mode=SealMode.DEFAULT)


@pytest.fixture(scope="session")
def owners():
    return {name: rsa.generate_private_key(65537, 2048) for name in ("ra", "rb", "rc")}


def plan(owners, threshold=0):
    public = {name: key.public_key() for name, key in owners.items()}
    return SealPlan(mode=SealMode.PRODUCT_KEY, recovery_keys=public, recovery_threshold=threshold)


def opened(owners, founded):
    return [unwrap_share(founded.recovery_secrets[name], key) for name, key in owners.items()]


def values(store):
    return {record.key: record.value for record in store.load().records}


def test_nothing_is_written_before_the_first_commit(seat, tmp_path):
    place = seat()
    assert place.store() is None
    assert not place.needs_recovery()
    assert list(tmp_path.iterdir()) == []


def test_founding_writes_both_files_for_the_owner_only(seat, tmp_path):
    founded = seat().found(FIRST, PLAN)
    assert founded.recovery_secrets == {}
    assert values(founded.store) == dict(FIRST.puts)
    assert founded.store.version() == 1
    assert founded.store.leaves(0, 9) == [b"manifest set"]
    directory = tmp_path / "seal"
    assert {"sealed_data", "sealed_key"} <= {path.name for path in directory.iterdir()}
    assert not [path for path in directory.iterdir() if path.name.endswith(".new")]
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    found = (directory / "sealed_data").read_bytes() + (directory / "sealed_key").read_bytes()
    assert b"hot" not in found


def test_a_restart_finds_the_state(seat):
    first = seat()
    first.found(FIRST, PLAN)
    first.store().commit(Change(puts={"secret/oven": b"hotter"}))
    first.close()
    again = seat()
    assert not again.needs_recovery()
    assert values(again.store())["secret/oven"] == b"hotter"


def test_another_worker_sees_the_state_that_one_founded(seat):
    one, other = seat(), seat()
    assert other.store() is None
    one.found(FIRST, PLAN)
    assert values(other.store()) == dict(FIRST.puts)
    other.store().commit(Change(puts={"a": b"1"}))
    assert one.store().version() == 2


def test_only_one_worker_founds(seat):
    one, other = seat(), seat()
    one.found(FIRST, PLAN)
    with pytest.raises(StoreConflict):
        other.found(Change(puts={"state/manifest": b"other"}), PLAN)
    assert values(other.store()) == dict(FIRST.puts)


def test_a_first_change_that_expects_records_is_refused_and_writes_nothing(seat, tmp_path):
    with pytest.raises(StoreConflict):
        seat().found(Change(puts={"a": b"1"}, expects={"a": 3}), PLAN)
    assert list(tmp_path.iterdir()) == []


def test_an_impossible_recovery_threshold_writes_nothing(seat, owners, tmp_path):
    with pytest.raises(RecoverySchemeError):
        seat().found(FIRST, plan(owners, 4))
    assert list(tmp_path.iterdir()) == []


def test_a_disabled_seal_writes_no_file_and_is_forgotten(seat, tmp_path):
    place = seat()
    founded = place.found(FIRST, SealPlan(mode=SealMode.DISABLED))
    assert isinstance(founded.store, MemoryStore)
    assert place.store() is founded.store
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreConflict):
        place.found(FIRST, SealPlan(mode=SealMode.DISABLED))
    assert seat().store() is None


@pytest.mark.parametrize("mode", [SealMode.PRODUCT_KEY, SealMode.UNIQUE_KEY])
def test_each_seal_mode_has_a_key_of_its_own(seat, mode):
    seat().found(FIRST, SealPlan(mode=mode))
    assert seat().store() is not None


def test_a_missing_sealed_key_needs_recovery_and_leaves_the_state_alone(seat, owners, tmp_path):
    first = seat()
    founded = first.found(FIRST, plan(owners, 2))
    first.close()
    (tmp_path / "seal" / "sealed_key").unlink()
    place = seat()
    assert place.store() is None
    assert place.needs_recovery()
    waiting = place.recovery()
    assert (waiting.info.owners, waiting.info.threshold) == (3, 2)
    assert "missing" in waiting.reason
    key = combine_shares(opened(owners, founded)[:2], waiting.info)
    with_signature_checks = place.peek(key)
    assert values(with_signature_checks) == dict(FIRST.puts)
    with_signature_checks.close()
    assert place.needs_recovery()
    assert not (tmp_path / "seal" / "sealed_key").exists()
    assert values(place.unlock(key)) == dict(FIRST.puts)
    assert not place.needs_recovery()
    assert values(seat().store()) == dict(FIRST.puts)


@pytest.mark.parametrize(("threshold", "given"), [(0, 3), (2, 2)])
def test_recovery_works_again_and_again_with_the_same_shares(seat, owners, tmp_path, threshold, given):
    founded = seat().found(FIRST, plan(owners, threshold))
    shares = opened(owners, founded)
    for _ in range(2):
        (tmp_path / "seal" / "sealed_key").unlink()
        place = seat()
        key = combine_shares(shares[-given:], place.recovery().info)
        assert values(place.unlock(key)) == dict(FIRST.puts)
        place.close()


def test_another_worker_notices_the_end_of_recovery(seat, owners, tmp_path):
    founded = seat().found(FIRST, plan({"ra": owners["ra"]}))
    (tmp_path / "seal" / "sealed_key").unlink()
    one, other = seat(), seat()
    assert one.needs_recovery()
    assert other.needs_recovery()
    [key] = opened({"ra": owners["ra"]}, founded)
    one.unlock(key)
    assert values(other.store()) == dict(FIRST.puts)
    assert not other.needs_recovery()


def test_a_wrong_recovered_key_is_refused_and_changes_nothing(seat, tmp_path):
    seat().found(FIRST, PLAN)
    (tmp_path / "seal" / "sealed_key").unlink()
    place = seat()
    for wrong in (b"w" * 32, b"", b"k" * 33):
        with pytest.raises(RecoveryNotPossible):
            place.unlock(wrong)
    assert place.needs_recovery()
    assert not (tmp_path / "seal" / "sealed_key").exists()


def test_nothing_is_unlocked_that_does_not_need_it(seat):
    place = seat()
    with pytest.raises(RecoveryNotPossible):
        place.unlock(b"k" * 32)
    place.found(FIRST, PLAN)
    with pytest.raises(RecoveryNotPossible):
        place.unlock(b"k" * 32)


@pytest.mark.parametrize(
    ("attack", "spoil"),
    [
        ("empty", lambda key: b""),
        ("garbage", lambda key: b"garbage"),
        ("cut off", lambda key: key[:-1]),
        ("a flipped bit", lambda key: key[:-1] + bytes([key[-1] ^ 1])),
        ("another mode", lambda key: key.replace(b"\x0aProductKey", b"\x09UniqueKey")),
        ("a mode that is none", lambda key: key.replace(b"ProductKey", b"../../etc/")),
    ],
)
def test_a_spoiled_sealed_key_needs_recovery(seat, tmp_path, attack, spoil):
    seat().found(FIRST, PLAN)
    path = tmp_path / "seal" / "sealed_key"
    path.write_bytes(spoil(path.read_bytes()))
    place = seat()
    assert place.store() is None
    assert place.needs_recovery()


def test_a_state_moved_to_another_platform_needs_recovery(seat):
    seat().found(FIRST, PLAN)
    place = seat(names=("other",))
    assert place.store() is None
    assert "does not open" in place.recovery().reason


def test_a_further_platform_key_reads_what_the_older_one_sealed(seat):
    seat(names=("old",)).found(FIRST, PLAN)
    assert values(seat(names=("new", "old")).store()) == dict(FIRST.puts)


def test_the_sealed_key_of_another_state_needs_recovery(seat, tmp_path):
    seat().found(FIRST, PLAN)
    seat(tmp_path / "second").found(FIRST, PLAN)
    shutil.copy(tmp_path / "second" / "sealed_key", tmp_path / "seal" / "sealed_key")
    place = seat()
    assert place.needs_recovery()
    assert "another state" in place.recovery().reason


@pytest.mark.parametrize("content", [b"", b"garbage", b"SQLite format 3\0" + bytes(84), os.urandom(5000)])
def test_garbage_as_sealed_data_is_an_error_and_no_reason_for_a_new_state(seat, tmp_path, content):
    seat().found(FIRST, PLAN)
    for path in (tmp_path / "seal").glob("sealed_data*"):
        path.unlink()
    data = tmp_path / "seal" / "sealed_data"
    data.write_bytes(content)
    place = seat()
    for use in (place.store, place.needs_recovery, lambda: place.found(FIRST, PLAN)):
        with pytest.raises(SealedDataError):
            use()
    assert data.read_bytes() == content


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_sealed_data_that_is_cut_off_is_an_error(seat, tmp_path, keep):
    first = seat()
    first.found(Change(puts={f"secret/{number}": os.urandom(300) for number in range(200)}), PLAN)
    first.close()
    data = tmp_path / "seal" / "sealed_data"
    data.write_bytes(data.read_bytes()[: int(data.stat().st_size * keep)])
    with pytest.raises(SealedDataError):
        seat().store().load()


def test_without_sealed_data_a_fresh_state_begins_even_beside_an_old_key(seat, tmp_path):
    first = seat()
    first.found(FIRST, PLAN)
    first.close()
    (tmp_path / "seal" / "sealed_data").unlink()
    place = seat()
    assert place.store() is None
    assert not place.needs_recovery()
    place.found(Change(puts={"state/manifest": b"new"}), PLAN)
    assert values(seat().store()) == {"state/manifest": b"new"}


def test_stale_companions_do_not_get_into_a_new_state(seat, tmp_path):
    first = seat()
    first.found(FIRST, PLAN)
    for number in range(50):
        first.store().commit(Change(puts={"a": str(number).encode()}))
    log = (tmp_path / "seal" / "sealed_data-wal").read_bytes()
    assert log
    first.close()
    (tmp_path / "seal" / "sealed_data").unlink()
    (tmp_path / "seal" / "sealed_data-wal").write_bytes(log)
    seat().found(Change(puts={"state/manifest": b"new"}), PLAN)
    assert values(seat().store()) == {"state/manifest": b"new"}


def test_a_new_manifest_in_recovery_replaces_the_state_and_keeps_the_old_one_aside(seat, owners, tmp_path):
    first = seat()
    founded = first.found(FIRST, plan({"ra": owners["ra"]}))
    first.store().commit(Change(puts={"secret/oven": b"last"}))
    first.close()
    (tmp_path / "seal" / "sealed_key").unlink()
    place = seat()
    assert place.needs_recovery()
    place.found(Change(puts={"state/manifest": b"new"}), PLAN)
    assert values(place.store()) == {"state/manifest": b"new"}
    place.close()
    [key] = opened({"ra": owners["ra"]}, founded)
    aside = tmp_path / "aside"
    aside.mkdir()
    shutil.copy(tmp_path / "seal" / "sealed_data.old", aside / "sealed_data")
    assert values(seat(aside).unlock(key))["secret/oven"] == b"last"


def test_copies_of_a_killed_coordinators_files_open(seat, tmp_path):
    first = seat()
    first.found(FIRST, PLAN)
    first.store().commit(Change(puts={"secret/oven": b"in the log"}))
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in (tmp_path / "seal").glob("sealed_*"):
        shutil.copy(path, copy)
    assert values(seat(copy).store())["secret/oven"] == b"in the log"


def test_new_keys_make_the_old_shares_worthless(seat, owners, tmp_path):
    place, worker = seat(), seat()
    founded = place.found(FIRST, plan(owners))
    old_shares = opened(owners, founded)
    assert values(worker.store()) == dict(FIRST.puts)
    place.store().commit(Change(puts={"gone": b"1"}))
    place.store().commit(Change(puts={"gone": None}))
    changed = place.rekey(Change(puts={"state/manifest": b"v2"}, appends=(b"updated",)), plan(owners, 2))
    assert changed.store.version() == 4
    wanted = {"state/manifest": b"v2", "secret/oven": b"hot"}
    for view in (place.store(), worker.store(), seat().store()):
        assert values(view) == wanted
        assert view.leaves(0, 9) == [b"manifest set", b"updated"]
        assert [record.key for record in view.load(2).records] == ["gone", "state/manifest"]
    worker.store().commit(Change(puts={"a": b"1"}))
    (tmp_path / "seal" / "sealed_key").unlink()
    late = seat()
    info = late.recovery().info
    assert (info.owners, info.threshold) == (3, 2)
    with pytest.raises(RecoveryNotPossible):
        late.unlock(combine_shares(old_shares, founded_info(old_shares)))
    assert values(late.unlock(combine_shares(opened(owners, changed)[:2], info))) == {**wanted, "a": b"1"}


def founded_info(shares):
    from sealmesh.sealing import RecoveryInfo, share_digest

    return RecoveryInfo(threshold=len(shares), digests=tuple(map(share_digest, shares)))


def test_new_keys_that_conflict_change_nothing(seat, owners, tmp_path):
    place = seat()
    place.found(FIRST, plan(owners))
    before = (tmp_path / "seal" / "sealed_key").read_bytes()
    with pytest.raises(StoreConflict):
        place.rekey(Change(puts={"a": b"1"}, expects={"secret/oven": 9}), plan(owners))
    assert (tmp_path / "seal" / "sealed_key").read_bytes() == before
    assert values(seat().store()) == dict(FIRST.puts)


def test_new_keys_without_a_change_are_seen_by_other_workers(seat, owners):
    place, worker = seat(), seat()
    place.found(FIRST, plan(owners))
    assert worker.store().version() == 1
    place.rekey(Change(), plan(owners))
    assert worker.store().version() == 2
    assert worker.store().commit(Change(puts={"a": b"1"})) == 3


def test_a_disabled_seal_has_no_keys_to_change(seat):
    place = seat()
    with pytest.raises(StoreError):
        place.rekey(Change(), PLAN)
    place.found(FIRST, SealPlan(mode=SealMode.DISABLED))
    assert place.rekey(Change(puts={"a": b"1"}), PLAN).recovery_secrets == {}
    assert values(place.store())["a"] == b"1"


def test_a_directory_that_cannot_be_made_is_said_plainly(seat, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        seat(tmp_path / "file" / "seal").found(FIRST, PLAN)


def test_an_owners_key_does_not_show_in_a_repr(seat, tmp_path):
    place = seat()
    place.found(FIRST, PLAN)
    assert "key=" not in repr(place.store())


# -- sealed_key is bound to the state -----------------------------------------------------------------


def everything_in(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_old_data_beside_the_key_of_a_newer_state_waits_for_recovery(seat, tmp_path):
    first = seat()
    first.found(FIRST, PLAN)
    first.close()
    old = everything_in(tmp_path / "seal")
    second = seat()
    for number in range(3):
        second.store().commit(Change(puts={"secret/oven": b"%d" % number}))
    second.close()
    seat().store()  # a start binds `sealed_key` to what is there
    (tmp_path / "seal" / "sealed_data").write_bytes(old["sealed_data"])
    for companion in ("sealed_data-wal", "sealed_data-shm"):
        (tmp_path / "seal" / companion).unlink(missing_ok=True)
    after = seat()
    assert after.store() is None
    assert after.recovery().reason == (
        "An older copy of the state was put back: `sealed_data` has version 1; `sealed_key` was written for 4"
    )


def test_an_old_key_beside_newer_data_of_the_same_keys_opens_it(seat, tmp_path):
    first = seat()
    first.found(FIRST, PLAN)
    old = (tmp_path / "seal" / "sealed_key").read_bytes()
    first.store().commit(Change(puts={"secret/oven": b"hotter"}))
    first.close()
    (tmp_path / "seal" / "sealed_key").write_bytes(old)
    assert values(seat().store())["secret/oven"] == b"hotter"


def test_a_start_writes_the_key_only_where_the_state_moved_on(seat, tmp_path):
    first = seat()
    first.found(FIRST, PLAN)
    first.close()
    written = (tmp_path / "seal" / "sealed_key").read_bytes()
    seat().store()
    assert (tmp_path / "seal" / "sealed_key").read_bytes() == written
    again = seat()
    again.store().commit(Change(puts={"a": b"1"}))
    again.close()
    seat().store()
    assert (tmp_path / "seal" / "sealed_key").read_bytes() != written


def test_a_disk_that_is_full_at_the_start_does_not_keep_a_state_from_being_read(seat, tmp_path, monkeypatch):
    first = seat()
    first.found(FIRST, PLAN)
    first.store().commit(Change(puts={"secret/oven": b"hotter"}))
    first.close()
    full = seat()

    def no_space(*_arguments, **_options):
        raise StoreError("no space left on device")

    monkeypatch.setattr(full, "_seal_keys", no_space)
    assert values(full.store())["secret/oven"] == b"hotter"
    full.close()
    assert values(seat().store())["secret/oven"] == b"hotter"
