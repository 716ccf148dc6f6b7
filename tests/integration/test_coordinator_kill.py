"""kill -9 of the whole Coordinator: what was acknowledged is there, and nothing is there by half."""

import random
import threading
from pathlib import Path

import coordinator_process as world
import pytest

from sealmesh.adapters.sealer import PlatformKeys, Sealer
from sealmesh.adapters.store import SealedSeat
from sealmesh.server.evidence import unprotected_seal_key

coordinator, manifest = world.coordinator, world.manifest

LIMIT = 1000


def killed_after(process, seconds: float):
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    return timer


def set_and_tell(process) -> int | None:
    """Set a manifest; the status, or None where the answer did not come any more."""
    try:
        return process.set_manifest(manifest())[0]
    except (OSError, ValueError):
        return None


def kill_while_setting(directory: Path, delay: float) -> None:
    with coordinator(directory) as process:
        process.start()
        chain = process.get("/api/v2/quote")["data"]["cert"]
        timer = killed_after(process, delay)
        answered = set_and_tell(process)
        timer.join()
        process.start()
        state = process.state()
        assert state in (2, 3), "never recovery, never half a state"
        if answered == 200:
            assert state == 3
        if state == 3:
            assert process.get("/api/v2/quote")["data"]["cert"] == chain
            process.activate("baker")
        else:
            assert process.set_manifest(manifest())[0] == 200


def kill_while_activating(directory: Path, delay: float, *, workers: int) -> None:
    with coordinator(directory, SEALMESH_WORKERS=str(workers)) as process:
        process.start()
        process.set_manifest(manifest(baker={"MaxActivations": LIMIT}))
        acknowledged: list[int] = []
        threads = [threading.Thread(target=keep_activating, args=(process, acknowledged)) for _ in range(3)]
        timer = killed_after(process, delay)
        for thread in threads:
            thread.start()
        for thread in (*threads, timer):
            thread.join()
        process.start()
        assert process.state() == 3
        left = count_left(process)
        # A change that was made but not acknowledged any more may count; an acknowledged one must.
        assert LIMIT - len(acknowledged) - len(threads) <= left <= LIMIT - len(acknowledged)


def keep_activating(process, acknowledged: list[int]) -> None:
    while True:
        try:
            process.activate("baker")
        except (OSError, world.GrpcRefused):
            return
        acknowledged.append(1)


def count_left(process) -> int:
    """Read how many activations are left from the store itself."""
    process.kill()
    sealer = Sealer([PlatformKeys(unprotected_seal_key)], entropy=random.randbytes)
    seat = SealedSeat(process.seal, sealer=sealer, entropy=random.randbytes)
    records = {record.key: record.value for record in seat.store().load().records}
    seat.close()
    return LIMIT - int(records.get("activations/baker", b"0"))


@pytest.mark.parametrize("delay", [0.0, 0.005, 0.01, 0.02, 0.04])
def test_killed_while_a_manifest_is_set(tmp_path, delay):
    kill_while_setting(tmp_path, delay)


@pytest.mark.parametrize(("delay", "workers"), [(0.2, 1), (0.35, 2)])
def test_killed_while_marbles_are_activated(tmp_path, delay, workers):
    kill_while_activating(tmp_path, delay, workers=workers)


@pytest.mark.slow
def test_killed_a_hundred_times_while_a_manifest_is_set(tmp_path):
    chance = random.Random(7)
    for number in range(100):
        directory = tmp_path / str(number)
        directory.mkdir()
        kill_while_setting(directory, chance.uniform(0, 0.06))


@pytest.mark.slow
def test_killed_many_times_while_marbles_are_activated(tmp_path):
    chance = random.Random(8)
    for number in range(30):
        directory = tmp_path / str(number)
        directory.mkdir()
        kill_while_activating(directory, chance.uniform(0.05, 0.6), workers=1 + number % 2)
