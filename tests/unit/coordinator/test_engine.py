"""The loop: check and act on one state, retry where it may, report a conflict where it may not."""

import fakes
import pytest

from sealmesh.coordinator import places
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.ports import Change
from sealmesh.errors.coordinator import ConcurrentChange

KEY = places.activations("baker")


@pytest.fixture
def engine():
    engine = fakes.make_engine()
    fakes.make_coordinator(engine=engine).set_manifest(fakes.manifest_bytes())
    return engine


def count_up(state, context):
    count = state.activations("baker")
    return Decision(
        reply=count + 1,
        change=Change(
            puts={KEY: b"%d" % (count + 1)}, expects={KEY: state.shelves.version_of(KEY)}, appends=(b"leaf",)
        ),
    )


def somebody_else_counts(engine):
    store = engine.seat.opened
    store.before_commit = lambda: store.commit(Change(puts={KEY: b"41"}))


def test_a_reply_is_given_only_for_what_was_committed(engine):
    assert engine.run(count_up, retry=True).reply == 1
    assert engine.state().activations("baker") == 1


def test_a_conflict_is_decided_again_on_the_new_state(engine):
    somebody_else_counts(engine)
    assert engine.run(count_up, retry=True).reply == 42
    assert engine.state().activations("baker") == 42
    assert engine.seat.opened.appended.count(b"leaf") == 1


def test_a_command_that_may_not_be_repeated_reports_the_conflict_and_changes_nothing(engine):
    somebody_else_counts(engine)
    with pytest.raises(ConcurrentChange):
        engine.run(count_up, retry=False)
    assert engine.state().activations("baker") == 41
    assert b"leaf" not in engine.seat.opened.appended


def test_a_store_that_conflicts_for_ever_ends_in_an_error(engine):
    def never(state, context):
        return Decision(reply=None, change=Change(puts={KEY: b"1"}, expects={KEY: 10**9}))

    with pytest.raises(ConcurrentChange):
        engine.run(never, retry=True)


def test_keys_are_drawn_once_however_often_a_command_is_decided():
    drawn = []

    class CountingKeys(fakes.OsKeyFactory):
        def ec(self, bits):
            drawn.append(bits)
            return super().ec(bits)

    engine = fakes.make_engine(keys=CountingKeys())
    fakes.make_coordinator(engine=engine).set_manifest(fakes.manifest_bytes())
    drawn.clear()
    seen = []

    def decide(state, context):
        seen.append(context.keys.ec(256).private_numbers().private_value)
        seen.append(context.keys.ec(256).private_numbers().private_value)
        return count_up(state, context)

    somebody_else_counts(engine)
    engine.run(decide, retry=True)
    assert len(drawn) == 2
    assert seen[:2] == seen[2:]


def test_a_worker_notices_what_another_committed():
    seat = fakes.MemorySeat()
    authority = fakes.fresh_authority(fakes.FakeClock(), fakes.Settings())
    one = fakes.make_engine(seat=seat, authority=authority)
    other = fakes.make_engine(seat=seat, authority=authority)
    assert other.state().phase == 2
    fakes.make_coordinator(engine=one).set_manifest(fakes.manifest_bytes())
    assert other.state().phase == 3
    one.run(count_up, retry=True)
    assert other.state().activations("baker") == 1


def test_a_refresh_keeps_what_was_derived_from_an_unchanged_manifest(engine):
    before = engine.state().in_force
    engine.run(count_up, retry=True)
    assert engine.state().in_force is before
