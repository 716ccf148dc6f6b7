"""Random commands, one after another: the Coordinators say and keep what the reference does.

After every command each of them is compared with the reference in everything that can be seen: phase,
manifest, activations, what waits and who is missing, uploaded values, counters, the update log line by line,
the ledger leaf by leaf. Two share one sealed state, as
workers do, and every command goes to either.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from model_choices import Pick, T, some_command
from model_commands import Recover
from model_people import OWNERS
from model_reference import Model, apply
from model_world import World, check_same

QUICK = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes; a failure prints all its commands
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def picking(data: st.DataObject) -> Pick:
    """Let Hypothesis pick."""

    def pick(several: Sequence[T], /) -> T:
        return data.draw(st.sampled_from(list(several)))

    return pick


class OneCoordinator(RuleBasedStateMachine):
    """One Coordinator whose state is in memory (`SealMode` `Disabled`)."""

    workers: ClassVar[int] = 1
    sealed: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.world = World(self.workers)

    def teardown(self) -> None:
        self.world.close()

    @initialize(data=st.data())
    def set_up(self, data: st.DataObject) -> None:
        self.anything(data)

    @rule(data=st.data())
    def anything(self, data: st.DataObject) -> None:
        command = some_command(picking(data), self.model, sealed=self.sealed)
        note(str(command))
        # Shares are kept by one process; with several, one alone serves while a state waits for recovery.
        worker = 0 if self.model.recovering else data.draw(st.integers(0, self.workers - 1))
        self.model, expected = apply(self.model, command)
        assert self.world.run(command, worker) == expected
        self.compare()

    def compare(self) -> None:
        for worker in range(self.workers):
            check_same(self.world, worker, self.model)


class TwoWorkers(OneCoordinator):
    """Two Coordinators on one sealed state, which may be restarted, also where the platform's key is lost."""

    workers = 2
    sealed = True

    @rule(data=st.data())
    def anything(self, data: st.DataObject) -> None:
        """Do a command, or seldom what happens to machines."""
        what = data.draw(st.integers(0, 24), label="restart at 0, new machine at 1, old share at 2")
        running = self.model.running
        if what == 0:
            self.restart()
        elif what == 1 and running is not None and running.owners:
            self.lose_the_key()
        elif what <= 4 and self.model.recovering and self.model.sealing > 0:
            self.give_a_share_of_before(data)
        else:
            super().anything(data)

    def restart(self) -> None:
        self.world.start()
        self.model = replace(self.model, given={})
        self.compare()

    def lose_the_key(self) -> None:
        self.world.lose_key()
        self.model = replace(self.model, recovering=True, given={})
        self.compare()

    def give_a_share_of_before(self, data: st.DataObject) -> None:
        sealing = data.draw(st.integers(0, self.model.sealing - 1))
        known = [owner for owner in OWNERS if owner in self.world.kept.shares[sealing]]
        if known:
            command = Recover(data.draw(st.sampled_from(known)), sealing)
            self.model, expected = apply(self.model, command)
            assert self.world.run(command) == expected
            self.compare()


@pytest.mark.timeout(300)
def test_one_coordinator_in_memory_is_the_reference() -> None:
    run_state_machine_as_test(OneCoordinator, settings=QUICK)


@pytest.mark.timeout(300)
def test_two_workers_on_one_sealed_state_are_the_reference() -> None:
    run_state_machine_as_test(TwoWorkers, settings=QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [OneCoordinator, TwoWorkers])
def test_long_runs_are_the_reference(machine: type[OneCoordinator]) -> None:
    run_state_machine_as_test(machine, settings=settings(QUICK, max_examples=600, stateful_step_count=60))
