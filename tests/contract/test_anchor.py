"""The contract of the port `Anchor`, against every adapter, and of a state that is moored to each."""

import os
import queue
import shutil
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.adapters.anchor import FileAnchor
from sealmesh.adapters.anchor.tpm import TpmAnchor
from sealmesh.adapters.sealer import PlatformKeys, Sealer
from sealmesh.adapters.store import SealedSeat
from sealmesh.adapters.store.mooring import Moored
from sealmesh.adapters.tpm import Tpm
from sealmesh.coordinator.ports import Change, SealPlan
from sealmesh.errors.store import AnchorError, StateRolledBack, TpmError
from sealmesh.manifest import SealMode
from sealmesh.sealing import combine_shares, unwrap_share

PLAN = SealPlan(mode=SealMode.PRODUCT_KEY)
FIRST = Change(puts={"number": b"0"})
#: The TPM is one for all tests of a module, so each takes indices of its own.
_index = iter(range(0x01500100, 0x01500F00, 2))


@pytest.fixture(params=["file", "tpm"])
def anchor(request, tmp_path):
    if request.param == "file":
        (tmp_path / "elsewhere").mkdir()
        return lambda path=tmp_path / "elsewhere" / "anchor": FileAnchor(path)
    tcti, index = request.getfixturevalue("tpm").tcti, next(_index)
    return lambda: TpmAnchor(Tpm(tcti), index=index)


def test_a_new_anchor_has_no_number_and_was_never_used(anchor):
    assert anchor().count() is None
    assert not anchor().used()
    assert anchor().describe()


def test_it_begins_once(anchor):
    begun = anchor().begin()
    assert anchor().count() == begun
    assert anchor().begin() == begun
    assert not anchor().used()


def test_it_counts_one_by_one_and_remembers(anchor):
    begun = anchor().begin()
    for count in range(begun + 1, begun + 4):
        anchor().advance(count)
        anchor().mark_used()
        assert anchor().count() == count
    assert anchor().used()


def test_it_does_not_count_to_another_number(anchor):
    begun = anchor().begin()
    for wrong in (begun + 2, begun + 100):
        with pytest.raises(AnchorError):
            anchor().advance(wrong)


# -- a state that is moored -----------------------------------------------------------------------------


def seat(directory, anchor, step=None):
    keys = PlatformKeys(lambda mode, security_version: mode.encode().ljust(32))
    return SealedSeat(
        directory,
        sealer=Sealer([keys], entropy=os.urandom),
        entropy=os.urandom,
        **({} if anchor is None else {"mooring": Moored(anchor, directory)}),
        **({} if step is None else {"step": step}),
    )


@pytest.fixture
def opened(tmp_path):
    seats = []

    def make(anchor, directory=None, step=None):
        seats.append(seat(directory or tmp_path / "seal", anchor, step))
        return seats[-1]

    yield make
    for one in seats:
        one.close()


def number(place):
    return int({record.key: record.value for record in place.store().load().records}["number"])


def put(place, value):
    place.store().commit(Change(puts={"number": str(value).encode()}))


def copied(directory, name):
    copy = directory.with_name(name)
    shutil.copytree(directory, copy)
    return copy


def put_back(copy, directory):
    shutil.rmtree(directory)
    shutil.copytree(copy, directory)


def test_a_moored_state_goes_on_after_a_restart(anchor, opened):
    first = opened(anchor())
    first.found(FIRST, PLAN)
    for value in range(1, 4):
        put(first, value)
    first.close()
    again = opened(anchor())
    assert number(again) == 3
    put(again, 4)
    assert number(again) == 4


def test_each_write_counts_once_whoever_writes(anchor, opened):
    one, other = opened(anchor()), opened(anchor())
    one.found(FIRST, PLAN)
    begun = anchor().count()
    for value in range(1, 4):
        put(one, value)
        put(other, value * 10)
    assert anchor().count() == begun + 6
    assert number(one) == number(other) == 30


def test_what_is_read_does_not_count(anchor, opened):
    place = opened(anchor())
    place.found(FIRST, PLAN)
    begun = anchor().count()
    for _ in range(3):
        number(place)
    place.close()
    number(opened(anchor()))
    assert anchor().count() == begun


def test_an_old_copy_of_all_files_leads_to_recovery_with_both_epochs_named(anchor, opened, tmp_path):
    place = opened(anchor())
    place.found(FIRST, PLAN)
    place.close()
    copy = copied(tmp_path / "seal", "copy")
    before = anchor().count()
    place = opened(anchor())
    for value in range(1, 4):
        put(place, value)
    place.close()
    put_back(copy, tmp_path / "seal")
    after = opened(anchor())
    assert after.store() is None
    reason = after.recovery().reason
    assert "An older copy of the state was put back" in reason
    assert f"epoch {before}" in reason
    assert f"epoch {before + 3}" in reason
    assert anchor().count() == before + 3


def test_a_copy_that_is_one_write_old_is_noticed_too(anchor, opened, tmp_path):
    place = opened(anchor())
    place.found(FIRST, PLAN)
    place.close()
    copy = copied(tmp_path / "seal", "copy")
    place = opened(anchor())
    put(place, 1)
    place.close()
    put_back(copy, tmp_path / "seal")
    assert opened(anchor()).needs_recovery()


def test_the_newest_copy_is_accepted_anywhere(anchor, opened, tmp_path):
    place = opened(anchor())
    place.found(FIRST, PLAN)
    put(place, 1)
    place.close()
    copy = copied(tmp_path / "seal", "copy")
    assert number(opened(anchor(), copy)) == 1


def test_an_old_copy_put_back_while_it_runs_cannot_be_written_to(anchor, opened, tmp_path):
    place = opened(anchor())
    place.found(FIRST, PLAN)
    place.close()
    copy = copied(tmp_path / "seal", "copy")
    running = opened(anchor(), copy)
    assert number(running) == 0
    moved_on = opened(anchor())
    put(moved_on, 1)
    count = anchor().count()
    with pytest.raises(StateRolledBack):
        put(running, 7)
    assert anchor().count() == count
    assert number(moved_on) == 1


def test_without_the_anchor_a_moored_state_waits_for_recovery(anchor, opened):
    place = opened(anchor())
    place.found(FIRST, PLAN)
    place.close()
    alone = opened(None)
    assert alone.store() is None
    assert "bound to an anchor" in alone.recovery().reason


def test_a_state_from_before_is_moored_at_the_next_start(anchor, opened):
    place = opened(None)
    place.found(FIRST, PLAN)
    put(place, 1)
    place.close()
    moored = opened(anchor())
    assert number(moored) == 1
    assert anchor().used()
    moored.close()
    assert opened(None).needs_recovery()
    assert number(opened(anchor())) == 1


def test_a_copy_from_before_the_anchor_is_noticed(anchor, opened, tmp_path):
    place = opened(None)
    place.found(FIRST, PLAN)
    place.close()
    copy = copied(tmp_path / "seal", "copy")
    moored = opened(anchor())
    put(moored, 1)
    moored.close()
    put_back(copy, tmp_path / "seal")
    after = opened(anchor())
    assert after.needs_recovery()
    assert "from before it was bound" in after.recovery().reason


def test_the_owners_can_recover_an_old_copy_and_it_counts_on_from_there(anchor, opened, tmp_path):
    owner = rsa.generate_private_key(65537, 2048)
    plan = SealPlan(mode=SealMode.PRODUCT_KEY, recovery_keys={"ra": owner.public_key()})
    place = opened(anchor())
    share = unwrap_share(place.found(FIRST, plan).recovery_secrets["ra"], owner)
    place.close()
    copy = copied(tmp_path / "seal", "copy")
    place = opened(anchor())
    put(place, 1)
    place.close()
    put_back(copy, tmp_path / "seal")
    waiting = opened(anchor())
    key = combine_shares([share], waiting.recovery().info)
    assert number_in(waiting.peek(key)) == 0
    waiting.unlock(key)
    put(waiting, 5)
    waiting.close()
    assert number(opened(anchor())) == 5


def number_in(store):
    try:
        return int({record.key: record.value for record in store.load().records}["number"])
    finally:
        store.close()


def test_the_owners_can_free_a_state_from_a_lost_anchor(anchor, opened):
    owner = rsa.generate_private_key(65537, 2048)
    plan = SealPlan(mode=SealMode.PRODUCT_KEY, recovery_keys={"ra": owner.public_key()})
    place = opened(anchor())
    share = unwrap_share(place.found(FIRST, plan).recovery_secrets["ra"], owner)
    place.close()
    alone = opened(None)
    alone.unlock(combine_shares([share], alone.recovery().info))
    put(alone, 1)
    alone.close()
    assert number(opened(None)) == 1


def test_new_keys_count_too_and_go_on(anchor, opened):
    place = opened(anchor())
    place.found(FIRST, PLAN)
    begun = anchor().count()
    place.rekey(Change(puts={"number": b"1"}), PLAN)
    assert anchor().count() == begun + 1
    place.close()
    assert number(opened(anchor())) == 1


def test_a_new_state_in_place_of_one_that_is_given_up_counts_on(anchor, opened, tmp_path):
    place = opened(anchor())
    place.found(FIRST, PLAN)
    put(place, 1)
    count = anchor().count()
    place.close()
    (tmp_path / "seal" / "sealed_key").unlink()
    given_up = opened(anchor())
    assert given_up.needs_recovery()
    given_up.found(Change(puts={"number": b"9"}), PLAN)
    assert anchor().count() == count + 1
    given_up.close()
    assert number(opened(anchor())) == 9


# -- crashes: whatever step is the last, nothing acknowledged is lost and nobody is locked out ------------


class Crash(BaseException):
    """Ends a write at a step, as a kill does: nothing after it runs but what Python's `with` closes."""


def crashing_at(wanted):
    seen = []

    def step(name):
        seen.append(name)
        if len(seen) == wanted:
            raise Crash(name)

    return step, seen


def write(place):
    put(place, 1)


def rekey(place):
    place.rekey(Change(puts={"number": b"1"}), PLAN)


@pytest.mark.parametrize("act", [write, rekey])
def test_a_crash_at_any_step_of_a_write_locks_nobody_out(anchor, tmp_path, act):
    for wanted in range(1, 100):
        directory = tmp_path / f"seal {wanted}"
        prepared = seat(directory, anchor())
        prepared.found(FIRST, PLAN)
        prepared.close()
        step, seen = crashing_at(wanted)
        place = seat(directory, anchor(), step)
        place.store()
        seen.clear()
        try:
            act(place)
        except Crash:
            crashed = True
        else:
            crashed = False
        # Not closed: a process that is killed closes nothing. Its locks go with it.
        place.store().close()
        after = seat(directory, anchor())
        assert not after.needs_recovery(), (seen, after.recovery())
        assert number(after) in ({0, 1} if crashed else {1})
        put(after, 2)
        after.close()
        again = seat(directory, anchor())
        assert number(again) == 2
        again.close()
        if not crashed:
            assert {"begun", "committed", "anchored"} <= set(seen)
            return
    raise AssertionError("it never ended without a crash")


def test_a_crash_at_any_step_of_the_founding_locks_nobody_out(anchor, tmp_path):
    for wanted in range(1, 100):
        directory = tmp_path / f"seal {wanted}"
        step, seen = crashing_at(wanted)
        founding = seat(directory, anchor(), step)
        try:
            founding.found(FIRST, PLAN)
        except Crash:
            crashed = True
        else:
            crashed = False
        after = seat(directory, anchor())
        assert not after.needs_recovery(), (seen, after.recovery())
        if after.store() is None:
            assert crashed
            after.found(FIRST, PLAN)
        put(after, 2)
        after.close()
        founding.close()
        if not crashed:
            assert "anchored" in seen
            return
    raise AssertionError("it never ended without a crash")


class DiesAt:
    """An anchor whose n-th call crashes, before or after it did what it does."""

    def __init__(self, inner, wanted, *, after):
        self._inner, self._wanted, self._after, self.calls = inner, wanted, after, 0
        self._fatal = ""

    def die_in(self, name):
        self._fatal = name

    def __getattr__(self, name):
        method = getattr(self._inner, name)

        def call(*arguments):
            if name == self._fatal:
                raise Crash(name)
            self.calls += 1
            if self.calls == self._wanted and not self._after:
                raise Crash(name)
            found = method(*arguments)
            if self.calls == self._wanted:
                raise Crash(name)
            return found

        return call


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("from_before", [False, True], ids=["moored", "not yet moored"])
def test_a_crash_in_any_call_to_the_anchor_locks_nobody_out(anchor, tmp_path, from_before, after, request):
    for wanted in range(1, 100):
        directory = tmp_path / f"seal {wanted}"
        if "tpm" in request.node.callspec.params["anchor"]:
            tcti, index = request.getfixturevalue("tpm").tcti, next(_index)
            fresh = lambda tcti=tcti, index=index: TpmAnchor(Tpm(tcti), index=index)  # noqa: E731
        else:
            fresh = lambda wanted=wanted: FileAnchor(tmp_path / "elsewhere" / str(wanted))  # noqa: E731
        prepared = seat(directory, None if from_before else fresh())
        prepared.found(FIRST, PLAN)
        prepared.close()
        dying = DiesAt(fresh(), wanted, after=after)
        place, crashed = seat(directory, dying), False
        try:
            put(place, 1)
        except Crash:
            crashed = True
        place.close()
        left = seat(directory, fresh())
        assert not left.needs_recovery(), (wanted, left.recovery())
        assert number(left) in ({0, 1} if crashed else {1})
        put(left, 2)
        left.close()
        if not crashed:
            assert wanted > 3
            return
    raise AssertionError("it never ended without a crash")


class SlowToCount:
    """An anchor that waits in the middle of counting until it is told to go on."""

    def __init__(self, inner):
        self._inner = inner
        self.counting, self.may_count = threading.Event(), threading.Event()

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def advance(self, count):
        self.counting.set()
        assert self.may_count.wait(60)
        self._inner.advance(count)


@pytest.mark.parametrize("reader_is", ["the same process", "another process"])
def test_nobody_reads_what_the_anchor_has_not_counted(opened, tmp_path, reader_is):
    inner = FileAnchor(tmp_path / "anchor")
    first = opened(inner)
    first.found(FIRST, PLAN)
    first.close()
    slow = SlowToCount(inner)
    writer = opened(slow)
    reader = writer if reader_is == "the same process" else opened(inner)
    assert number(writer) == number(reader) == 0
    read = queue.Queue()
    writing = threading.Thread(target=lambda: put(writer, 1))
    reading = threading.Thread(target=lambda: read.put(number(reader)))
    writing.start()
    assert slow.counting.wait(60)
    reading.start()
    with pytest.raises(queue.Empty):
        read.get(timeout=0.3)
    assert inner.count() == 1
    slow.may_count.set()
    assert read.get(timeout=60) == 1
    assert inner.count() == 2
    writing.join()
    reading.join()


def test_who_reads_after_a_writer_died_before_he_counted_counts_for_him(anchor, opened):
    other = opened(anchor())
    dying = DiesAt(anchor(), 0, after=False)
    place = opened(dying)
    place.found(FIRST, PLAN)
    assert number(other) == 0
    before = anchor().count()
    dying.die_in("advance")
    with pytest.raises(Crash):
        put(place, 1)
    assert anchor().count() == before
    assert number(other) == 1
    assert anchor().count() == before + 1


def test_an_anchor_that_cannot_be_reached_refuses_the_write_before_anything_is_written(opened, tmp_path):
    (tmp_path / "share").mkdir()
    place = opened(FileAnchor(tmp_path / "share" / "anchor"))
    place.found(FIRST, PLAN)
    (tmp_path / "share").rename(tmp_path / "gone")
    with pytest.raises(AnchorError):
        put(place, 1)
    (tmp_path / "gone").rename(tmp_path / "share")
    assert number(place) == 0
    put(place, 2)
    assert number(place) == 2


def test_an_anchor_that_cannot_be_reached_at_the_start_is_an_error_not_a_recovery(opened, tmp_path):
    (tmp_path / "share").mkdir()
    place = opened(FileAnchor(tmp_path / "share" / "anchor"))
    place.found(FIRST, PLAN)
    place.close()
    (tmp_path / "share").rename(tmp_path / "gone")
    with pytest.raises(AnchorError):
        opened(FileAnchor(tmp_path / "share" / "anchor")).store()


def test_a_deleted_anchor_leads_to_recovery(opened, tmp_path):
    path = tmp_path / "anchor"
    place = opened(FileAnchor(path))
    place.found(FIRST, PLAN)
    place.close()
    path.unlink()
    after = opened(FileAnchor(path))
    assert after.needs_recovery()
    assert "the anchor no number" in after.recovery().reason


@pytest.mark.parametrize("content", [b"", b"12", b"sealmesh anchor ", b"sealmesh anchor -1\n", b"\xff" * 99])
def test_a_file_that_is_no_anchor_is_refused(tmp_path: Path, content):
    (tmp_path / "anchor").write_bytes(content)
    with pytest.raises(AnchorError):
        FileAnchor(tmp_path / "anchor").count()


def test_an_index_that_is_no_counter_is_refused(tpm):
    index = next(_index)
    TpmAnchor(Tpm(tpm.tcti), index=index).mark_used()
    with pytest.raises(AnchorError):
        TpmAnchor(Tpm(tpm.tcti), index=index + 1).count()


def test_a_counter_survives_a_restart_of_the_tpm(tpm):
    anchor = TpmAnchor(Tpm(tpm.tcti), index=next(_index))
    anchor.advance(anchor.begin() + 1)
    count = anchor.count()
    tpm.stop()
    with pytest.raises(TpmError):
        anchor.count()
    tpm.start()
    assert anchor.count() == count
