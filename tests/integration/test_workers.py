"""Several worker processes on one port and one state: equal, replaced when dead, never left behind."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import coordinator_process as world
import psutil
import pytest

coordinator, manifest, wait_until = world.coordinator, world.manifest, world.wait_until


@pytest.fixture
def process(tmp_path):
    with coordinator(tmp_path, SEALMESH_WORKERS="2") as running:
        running.start()
        wait_until(lambda: len(running.workers()) == 2, what="two workers")
        yield running


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def each_worker(process, ask, *, attempts: int = 40):
    """Ask often enough on fresh connections that every worker has answered."""
    return [ask() for _ in range(attempts)]


def test_all_workers_show_one_authority_before_a_manifest_and_nothing_is_written(process):
    chains = each_worker(process, lambda: process.get("/api/v2/quote")["data"]["cert"])
    assert len(set(chains)) == 1
    assert not process.seal.exists()


def test_a_manifest_set_at_one_worker_is_in_force_at_all(process):
    chain = process.get("/api/v2/quote")["data"]["cert"]
    assert process.set_manifest(manifest())[0] == 200
    assert set(each_worker(process, process.state)) == {3}
    assert set(each_worker(process, lambda: process.get("/api/v2/quote")["data"]["cert"])) == {chain}


def test_workers_never_admit_more_than_the_limit_together(process):
    process.set_manifest(manifest(baker={"MaxActivations": 7}))

    def attempt(_: int) -> str:
        try:
            process.activate("baker")
        except world.GrpcRefused as refused:
            return refused.status
        return "OK"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(30)))
    assert outcomes.count("OK") == 7
    assert set(outcomes) == {"OK", "PERMISSION_DENIED"}


def test_only_one_of_many_manifests_set_at_once_is_accepted(process):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: process.set_manifest(manifest(**{f"marble{n}": {}}))[0], range(6)))
    assert answers.count(200) == 1
    assert set(answers) == {200, 500}
    fingerprints = {process.get("/api/v2/manifest")["data"]["manifestFingerprint"] for _ in range(20)}
    assert len(fingerprints) == 1


def test_a_dead_worker_is_replaced_and_the_port_goes_on(process):
    before = process.workers()
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(process.workers() - {victim}) == 2, what="a replacement")
    assert process.state() == 2


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
def test_workers_end_with_their_parent_however_it_ends(process, number):
    workers = process.workers()
    os.kill(process.process.pid, number)
    process.process.wait(20)
    wait_until(lambda: all(map(gone, workers)), what="the end of the workers")


def test_a_stopped_parent_that_is_killed_takes_its_workers_along(process):
    workers = process.workers()
    os.kill(process.process.pid, signal.SIGSTOP)
    os.kill(process.process.pid, signal.SIGKILL)
    process.process.wait(20)
    wait_until(lambda: all(map(gone, workers)), what="the end of the workers")


def test_sigterm_ends_parent_and_workers_with_code_zero(process):
    process.process.terminate()
    assert process.process.wait(20) == 0


def test_sealing_cannot_be_disabled_with_several_workers(process):
    status, answer = process.set_manifest(manifest() | {"Config": {"SealMode": "Disabled"}})
    assert status == 500
    assert "workers" in answer["message"]
    assert process.state() == 2


def test_while_a_state_waits_for_its_owners_one_worker_serves_and_then_all(process, tmp_path):
    process.set_manifest(manifest())
    process.kill()
    (process.seal / "sealed_key").unlink()
    process.start()
    assert process.state() == 1
    assert len(process.workers()) == 1
    process.set_manifest(manifest(other={}))
    wait_until(lambda: len(process.workers()) == 2, what="the second worker")
    assert set(each_worker(process, process.state)) == {3}


def cpus_of(pid):
    return {
        frozenset(os.sched_getaffinity(int(thread.name))) for thread in Path(f"/proc/{pid}/task").iterdir()
    }


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one CPU only")
def test_the_threads_of_a_worker_stay_on_one_cpu_that_no_other_worker_uses(process):
    def together():
        places = [cpus_of(pid) for pid in process.workers()]
        used = [cpu for place in places for cpus in place for cpu in cpus]
        return len(places) > 1 and len(used) == len(set(used)) == len(places)

    process.set_manifest(manifest())
    wait_until(together, seconds=60, what="each worker on a CPU of its own")


def test_who_does_not_want_that_gets_all_cpus(tmp_path):
    with coordinator(tmp_path, SEALMESH_CPU="any") as running:
        running.start()
        assert cpus_of(running.process.pid) == {frozenset(os.sched_getaffinity(0))}
