"""The threads of a process stay together, and are let go again."""

import asyncio
import contextlib
import os
import sys
import threading
from pathlib import Path

import pytest

from sealmesh.server import one_cpu
from sealmesh.server.one_cpu import OneCpu, share_of

ALLOWED = frozenset(os.sched_getaffinity(0))
several = pytest.mark.skipif(len(ALLOWED) < 2, reason="there is one CPU only")


@pytest.fixture(autouse=True)
def affinity_of_before():
    yield
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # one of another test, that has ended meanwhile
            os.sched_setaffinity(int(thread.name), ALLOWED)


@pytest.fixture
def companion():
    """A second thread, and its number."""
    end, began = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (began.set(), end.wait()))
    thread.start()
    began.wait()
    yield thread.native_id
    end.set()
    thread.join()


async def until(holds):
    for _ in range(3000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


@several
async def test_all_threads_come_to_one_cpu_and_are_let_go_at_the_end(companion):
    together = OneCpu(ALLOWED)
    together.start()
    await until(lambda: len(os.sched_getaffinity(companion)) == 1)
    assert os.sched_getaffinity(0) == os.sched_getaffinity(companion)
    together.stop()
    assert os.sched_getaffinity(0) == os.sched_getaffinity(companion) == ALLOWED


@several
async def test_the_cpu_is_chosen_anew(monkeypatch, companion):
    monkeypatch.setattr(one_cpu, "_STAY_SECONDS", 0.05)
    together = OneCpu(ALLOWED)
    together.start()
    for _ in range(2):
        await until(lambda: len(os.sched_getaffinity(companion)) == 1)
        await until(lambda: os.sched_getaffinity(companion) == ALLOWED)
    together.stop()


async def test_who_wakes_up_waits_for_his_turn_meanwhile(companion):
    interval = sys.getswitchinterval()
    together = OneCpu(ALLOWED)
    together.start()
    assert os.sched_getscheduler(0) == os.sched_getscheduler(companion) == os.SCHED_BATCH
    assert sys.getswitchinterval() > interval
    together.stop()
    assert os.sched_getscheduler(0) == os.sched_getscheduler(companion) == os.SCHED_OTHER
    assert sys.getswitchinterval() == interval


async def test_a_policy_that_somebody_chose_stays(companion):
    os.sched_setscheduler(companion, os.SCHED_IDLE, os.sched_param(0))
    together = OneCpu(ALLOWED)
    together.start()
    assert os.sched_getscheduler(companion) == os.SCHED_IDLE
    together.stop()
    assert os.sched_getscheduler(companion) == os.SCHED_IDLE


async def test_only_the_given_cpus_are_used(companion):
    one = min(ALLOWED)
    together = OneCpu({one})
    together.start()
    assert os.sched_getaffinity(0) == os.sched_getaffinity(companion) == {one}
    together.stop()


async def test_where_the_system_does_not_allow_it_all_goes_on(monkeypatch):
    def refused(*_thread_and_what):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refused)
    monkeypatch.setattr(os, "sched_setscheduler", refused)
    together = OneCpu(ALLOWED)
    together.start()
    together.stop()
    monkeypatch.undo()
    assert os.sched_getaffinity(0) == ALLOWED
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.mark.parametrize(
    ("allowed", "workers", "shares"),
    [
        ({0, 1}, 1, [{0, 1}]),
        ({0, 1}, 2, [{0}, {1}]),
        ({2, 5, 7}, 2, [{2, 7}, {5}]),
        ({0, 1}, 3, [{0, 1}] * 3),
        ({3}, 1, [{3}]),
    ],
)
def test_workers_share_no_cpu_where_there_are_enough(monkeypatch, allowed, workers, shares):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: allowed)
    assert [share_of(number, workers) for number in range(workers)] == shares
