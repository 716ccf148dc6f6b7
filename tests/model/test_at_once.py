"""Random commands at the same time, on two workers: as if they had come one after another.

After some commands that lead somewhere, several are let go at once, each in its own thread. Then there must
be an order in which the reference gives every caller the answer that he got, and ends in the state, the log
and the ledger that both workers show. What may not be decided again for its caller may be refused as
`concurrent-change`, and then it changed nothing.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import permutations
from random import Random
from threading import Barrier, Thread

import pytest
from model_choices import Pick, agreeing, some_command, some_plan
from model_commands import (
    Acknowledge,
    Activate,
    Cancel,
    Command,
    Count,
    Propose,
    RaiseVersion,
    Read,
    SetManifest,
    Upload,
)
from model_people import UPDATERS, UUIDS, Plan
from model_reference import Done, Model, Outcome, Refused, apply
from model_world import Kept, World, admitted, check_same

#: Decided once: whoever sent these has to look at what the others did.
ONCE = (Propose, Cancel, RaiseVersion, SetManifest)
CONCURRENT = Refused("concurrent-change")


@dataclass
class Call:
    """One command on its way, and what came of it."""

    command: Command
    worker: int
    kept: Kept
    outcome: Outcome | BaseException | None = None

    def run(self, world: World, together: Barrier) -> None:
        together.wait()
        try:
            self.outcome = world.run(self.command, self.worker, self.kept)
        except BaseException as error:
            self.outcome = error


@contextmanager
def eager_threads() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def at_once(world: World, several: Sequence[Command]) -> list[Call]:
    calls = [Call(command, number % 2, Kept()) for number, command in enumerate(several)]
    together = Barrier(len(calls))
    threads = [Thread(target=call.run, args=(world, together)) for call in calls]
    with eager_threads():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return calls


def explained(world: World, model: Model, calls: Sequence[Call]) -> Model:
    """Return the model after the calls in an order that explains what all of them saw and left."""
    wrong: AssertionError | None = None
    for order in permutations(calls):
        after = _replayed(model, order)
        if after is None:
            continue
        leaves = [*world.kept.leaves, *(leaf for call in order for leaf in call.kept.leaves)]
        try:
            for worker in (0, 1):
                check_same(world, worker, after)
            if after.running is not None:
                assert admitted(world) == [sha256(leaf).hexdigest() for leaf in leaves]
        except AssertionError as error:
            wrong = error
            continue
        world.kept.leaves = leaves
        for call in order:
            world.kept.shares.extend(call.kept.shares)
        return after
    seen = "".join(f"\n  {call.command}: {call.outcome!r}" for call in calls)
    raise AssertionError(f"no order explains{seen}\nafter {replace(model, log=(), ledger=())}") from wrong


def _replayed(model: Model, order: Sequence[Call]) -> Model | None:
    for call in order:
        if call.outcome == CONCURRENT and isinstance(call.command, ONCE):
            continue
        model, expected = apply(model, call.command)
        if expected != call.outcome:
            return None
    return model


def racing(pick: Pick, model: Model) -> list[Command]:
    """Return commands that get into each other's way."""
    if model.running is None:
        return [SetManifest(some_plan(pick, sealed=True)) for _ in range(pick((2, 3)))]
    return [_rival(pick, model) for _ in range(pick((2, 3, 4)))]


def _rival(pick: Pick, model: Model) -> Command:
    match pick("aaa uuu x w r ....".replace(" ", "")):
        case "a":
            return Activate(pick(("capped", "reader")), UUIDS[0], own=pick((False, True)))
        case "u":
            return agreeing(pick, model, sealed=True)
        case "x":
            return Cancel(pick(UPDATERS))
        case "w":
            return Upload("dan", (("word", pick((b"one", b"two"))),))
        case "r":
            return Read("dan", ("word",))
    return some_command(pick, model, sealed=True)


def race(seed: int, rounds: int) -> None:
    """Alternate commands in turn and at once; `random` picks, since who wins a race cannot be repeated."""
    pick = Random(seed).choice
    world, model = World(2), Model()
    try:
        for _ in range(rounds):
            for _ in range(pick(range(5))):
                command = some_command(pick, model, sealed=True)
                model, expected = apply(model, command)
                assert world.run(command) == expected, command
            model = explained(world, model, at_once(world, racing(pick, model)))
    finally:
        world.close()


@pytest.mark.parametrize("seed", range(40))
def test_racing_commands_are_as_if_one_came_after_the_other(seed: int) -> None:
    race(seed, rounds=10)


@pytest.mark.slow
def test_many_racing_commands_are_as_if_one_came_after_the_other() -> None:
    for seed in range(1000, 1300):
        race(seed, rounds=40)


@pytest.fixture
def world() -> Iterator[World]:
    world = World(2)
    yield world
    world.close()


def test_the_activation_limit_holds_however_many_come_at_once(world: World) -> None:
    world.run(SetManifest(Plan(limit=7)))
    several = [Activate("capped", UUIDS[n % 2], own=n % 3 == 0) for n in range(24)]
    outcomes = [call.outcome for call in at_once(world, several)]
    assert outcomes.count(Done(None)) == 7
    assert outcomes.count(Refused("activation-limit")) == 17
    for worker in (0, 1):
        assert world.coordinator(worker)._engine.state().activations("capped") == 7


def test_nobody_s_acknowledgment_counts_twice_however_often_it_is_sent(world: World) -> None:
    new = Plan(number=1)
    for command in (SetManifest(Plan()), Propose("ann", new)):
        world.run(command)
    calls = at_once(world, [Acknowledge(user, new) for user in ("ann", "bob") for _ in range(6)])
    assert {call.outcome.reply[0] for call in calls} <= {1, 2}  # type: ignore[union-attr, index]
    for worker in (0, 1):
        assert world.coordinator(worker).pending_update().missing_users == ("cyd",)
        assert world.coordinator(worker).manifest().raw == Plan().raw()
    calls = at_once(world, [Acknowledge("cyd", new) for _ in range(8)])
    outcomes = [call.outcome for call in calls]
    assert outcomes.count(Done((0, (), None))) == 1
    assert outcomes.count(Refused("nothing-pending")) == 7
    applied = [line for line in world.coordinator(1).update_log() if "manifest update applied" in line]
    assert len(applied) == 1


def test_a_counter_never_goes_back_and_every_step_is_seen_once(world: World) -> None:
    world.run(SetManifest(Plan()))
    world.run(Activate("free", UUIDS[0]))
    calls = at_once(world, [Count(0, "a", value) for value in range(1, 21)])
    steps = {call.command.value: call.outcome.reply for call in calls}  # type: ignore[union-attr]
    raised = sorted((before, value) for value, before in steps.items() if before < value)
    assert raised[0][0] == 0
    assert [before for before, _ in raised[1:]] == [value for _, value in raised[:-1]]
    assert raised[-1][1] == 20
    assert world.run(Count(0, "a", 0)) == Done(20)


def test_two_first_manifests_at_once_make_one_state(world: World) -> None:
    calls = at_once(world, [SetManifest(Plan(number=number, owners=1)) for number in range(6)])
    done = [call for call in calls if call.outcome == Done(1)]
    assert len(done) == 1
    assert {call.outcome for call in calls if call not in done} <= {CONCURRENT, Refused("wrong-phase")}
    for worker in (0, 1):
        assert world.coordinator(worker).manifest().raw == done[0].command.plan.raw()  # type: ignore[union-attr]
