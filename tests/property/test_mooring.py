"""A state with an anchor under random crashes, restarts and copies put back, against a model of three lines.

What may be found is the last acknowledged number, or one more after a crash. An old copy is never opened, and
without one nobody is ever locked out.
"""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from sealmesh.adapters.anchor import FileAnchor
from sealmesh.adapters.sealer import PlatformKeys, Sealer
from sealmesh.adapters.store import SealedSeat
from sealmesh.adapters.store.mooring import Moored
from sealmesh.coordinator.ports import Change, SealPlan
from sealmesh.manifest import SealMode

PLAN = SealPlan(mode=SealMode.PRODUCT_KEY)
KEYS = PlatformKeys(lambda mode, security_version: mode.encode().ljust(32))


class Crash(BaseException):
    """Ends a write at one of its steps."""


class MooredState(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="mooring-"))
        self.directory = self.root / "seal"
        self.steps_left = None
        self.copies = []  # (number, path)
        self.seat = None

    def teardown(self):
        if self.seat is not None:
            self.seat.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def step(self, _name):
        if self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left < 0:
                raise Crash

    def start(self):
        if self.seat is not None:
            self.seat.close()
        self.seat = SealedSeat(
            self.directory,
            sealer=Sealer([KEYS], entropy=os.urandom),
            entropy=os.urandom,
            mooring=Moored(FileAnchor(self.root / "anchor"), self.directory),
            step=self.step,
        )

    def found(self):
        return {record.key: int(record.value) for record in self.seat.store().load().records}["number"]

    @initialize()
    def begin(self):
        self.start()
        self.seat.found(Change(puts={"number": b"0"}), PLAN)
        self.acknowledged = 0

    @rule(rekey=st.booleans(), crash=st.none() | st.integers(0, 9))
    def write(self, rekey, crash):
        change = Change(puts={"number": str(self.acknowledged + 1).encode()})
        self.steps_left = crash
        try:
            if rekey:
                self.seat.rekey(change, PLAN)
            else:
                self.seat.store().commit(change)
        except Crash:
            self.steps_left = None
            self.start()
            assert not self.seat.needs_recovery(), self.seat.recovery()
            assert self.found() in (self.acknowledged, self.acknowledged + 1)
            self.acknowledged = self.found()
        else:
            self.steps_left = None
            self.acknowledged += 1

    @rule()
    def restart(self):
        self.start()
        assert not self.seat.needs_recovery(), self.seat.recovery()
        assert self.found() == self.acknowledged

    @rule()
    def copy(self):
        self.seat.close()
        path = self.root / f"copy {len(self.copies)}"
        shutil.copytree(self.directory, path)
        self.copies.append((self.acknowledged, path))
        self.start()

    @precondition(lambda self: self.copies)
    @rule(data=st.data(), whole=st.booleans())
    def put_a_copy_back(self, data, whole):
        number, path = data.draw(st.sampled_from(self.copies))
        self.seat.close()
        newest = self.root / "newest"
        shutil.copytree(self.directory, newest)
        if whole:
            shutil.rmtree(self.directory)
            shutil.copytree(path, self.directory)
        else:
            for companion in self.directory.glob("sealed_data*"):
                companion.unlink()
            shutil.copy(path / "sealed_data", self.directory)
        self.start()
        if self.seat.store() is not None:
            assert number == self.acknowledged == self.found()
        else:
            assert self.seat.needs_recovery()
        self.seat.close()
        shutil.rmtree(self.directory)
        newest.rename(self.directory)
        self.start()
        assert self.found() == self.acknowledged


MooredState.TestCase.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
TestMooredState = MooredState.TestCase
