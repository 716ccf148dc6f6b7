"""Run by `test_store_kill.py` as a program of its own: forks writers, kills them, looks at what they left.

A writer commits changes whose parts must stay together: records `a` and `b` get the same number, the ledger
gets that number as a leaf. After each acknowledged commit it writes the number into a pipe. What is found
afterwards must be a whole change, not before the last one acknowledged and at most one after it.

    store_killing.py steps SCENARIO DIRECTORY     kill at the first step, the second, ... until none is left
    store_killing.py random COUNT DIRECTORY       kill a busy writer at a random moment, COUNT times
    store_killing.py workers COUNT DIRECTORY      two writers; one is killed, the other goes on
    store_killing.py run SCENARIO DIRECTORY       just do it, to be killed from outside
    store_killing.py check SCENARIO DIRECTORY ACKNOWLEDGED

With MOORED=1 in the environment the state is bound to an anchor, a file that lies in DIRECTORY, so that both
are put back together where a test wants that.
"""

import hashlib
import itertools
import os
import random
import select
import signal
import sys
import threading
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.adapters.anchor import FileAnchor
from sealmesh.adapters.sealer import PlatformKeys, Sealer
from sealmesh.adapters.store import SealedSeat
from sealmesh.adapters.store.mooring import Moored, Unmoored
from sealmesh.coordinator.ports import Change, SealPlan
from sealmesh.errors.store import StoreConflict
from sealmesh.manifest import SealMode

COMMITS = 3


def seat(directory, step=None):
    keys = PlatformKeys(lambda mode, security_version: hashlib.sha256(mode.encode()).digest())
    sealer = Sealer([keys], entropy=os.urandom)
    moored = os.environ.get("MOORED") == "1"
    return SealedSeat(
        directory,
        sealer=sealer,
        entropy=os.urandom,
        mooring=Moored(FileAnchor(directory / "anchor"), directory) if moored else Unmoored(),
        **({"step": step} if step else {}),
    )


def plan(owners=0):
    keys = {f"owner {number}": rsa.generate_private_key(65537, 2048).public_key() for number in range(owners)}
    return SealPlan(mode=SealMode.PRODUCT_KEY, recovery_keys=keys)


def change(number, **more):
    value = str(number).encode()
    return Change(puts={"a": value, "b": value, **more}, appends=(value,))


def number_in(store):
    records = {record.key: record.value for record in store.load().records}
    assert records.get("a") == records.get("b"), f"half a change: {records}"
    number = int(records.get("a") or 0)
    leaves = store.leaves(0, 10**9)
    assert leaves == [str(item).encode() for item in range(1, number + 1)], "the ledger lost a leaf"
    return number


# -- what is done: each yields after a change that must last from then on --------------------------


def founding(directory, step):
    seat(directory, step).found(change(1), plan())
    yield 1


def committing(directory, step):
    store = seat(directory, step).store()
    start = number_in(store)
    for number in range(start + 1, start + 1 + COMMITS):
        store.commit(change(number, **{f"more {number}": os.urandom(3000)}))
        yield number


def rekeying(directory, step):
    place = seat(directory, step)
    start = number_in(place.store())
    for number in range(start + 1, start + 1 + COMMITS):
        place.rekey(change(number), plan())
        yield number


def replacing(directory, step):
    """A new manifest in recovery: the old state until the new one is there."""
    (directory / "sealed_key").unlink(missing_ok=True)
    place = seat(directory, step)
    assert place.needs_recovery()
    place.found(change(1), plan())
    yield 1


SCENARIOS = {"founding": founding, "committing": committing, "rekeying": rekeying, "replacing": replacing}


def check(scenario, directory, acknowledged):
    place = seat(directory)
    store = place.store()
    if store is None:
        if scenario == "replacing":
            assert place.needs_recovery(), "the old state is gone before the new one was there"
            return 0
        assert scenario == "founding", "the state is gone"
        assert acknowledged == 0, "an acknowledged state is gone"
        assert not place.needs_recovery(), "a state that nobody can open"
        # And one can still be made.
        place.found(change(1), plan())
        place.close()
        return 0
    found = number_in(store)
    assert acknowledged <= found <= acknowledged + 1, f"acknowledged {acknowledged}, found {found}"
    store.commit(Change(puts={"alive": b"yes"}))
    place.close()
    return found


# -- who kills ---------------------------------------------------------------------------------------


def forked(work):
    """Run `work(report)` in a child; return its PID and the pipe it reports into."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            work(lambda number: os.write(writing, number.to_bytes(8, "big")))
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(3)
    os.close(writing)
    return pid, reading


def last_reported(reading):
    data = b""
    while part := os.read(reading, 65536):
        data += part
    os.close(reading)
    return int.from_bytes(data[-8:], "big") if data else 0


def kill_at_each_step(scenario, directory):
    if scenario != "founding":
        prepared = seat(directory)
        prepared.found(change(1), plan())
        prepared.close()
    killed, found = 0, 1
    lasting = scenario in ("committing", "rekeying")
    for wanted in itertools.count(1):
        place = directory / str(wanted) if scenario == "founding" else directory

        def work(report, wanted=wanted, place=place):
            counter = itertools.count(1)

            def step(_name):
                if next(counter) == wanted:
                    os.kill(os.getpid(), signal.SIGKILL)

            for number in SCENARIOS[scenario](place, step):
                report(number)

        pid, reading = forked(work)
        acknowledged = last_reported(reading)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status in (0, -signal.SIGKILL), f"the writer failed with {status}"
        found = check(scenario, place, acknowledged or (found if lasting else 0))
        if status == 0:
            break
        killed += 1
    print(killed)


def make_noise(store):
    """Commit without end, so that the other thread's commits share their transactions with these."""
    while True:
        store.commit(Change(puts={"noise": os.urandom(2000)}))


def busy(directory):
    def work(report):
        store = seat(directory).store()
        number = int(next(r.value for r in store.load().records if r.key == "a"))
        threading.Thread(target=make_noise, args=(store,), daemon=True).start()
        while True:
            number += 1
            store.commit(change(number))
            report(number)

    return work


def kill_at_random(count, directory):
    place = seat(directory)
    place.found(change(1), plan())
    place.close()
    chance, found, least = random.Random(7), 1, 0
    for number in range(count):
        pid, reading = forked(busy(directory))
        os.set_blocking(reading, True)
        if number % 2:  # on a busy machine it may take long to get there
            select.select([reading], [], [], 60)
        time.sleep(chance.uniform(0.0, 0.08))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        acknowledged = last_reported(reading)
        least += acknowledged > 0
        found = check("committing", directory, acknowledged or found)
    assert least or count < 5, "no writer ever got to a commit"
    print(found)


def counting(directory, name):
    """Count up a record of one's own, and a shared one by compare-and-swap."""

    def work(report):
        store = seat(directory).store()
        own = 0
        while True:
            values = {record.key: record for record in store.load().records}
            shared = values["shared"]
            if own == 0:
                own = int(values[name].value) if name in values else 0
            try:
                store.commit(
                    Change(
                        puts={name: str(own + 1).encode(), "shared": str(int(shared.value) + 1).encode()},
                        expects={"shared": shared.version},
                    )
                )
            except StoreConflict:
                continue
            own += 1
            report(own)

    return work


def kill_one_of_two(count, directory):
    place = seat(directory)
    place.found(Change(puts={"shared": b"0"}), plan())
    place.close()
    chance, survivor_total = random.Random(11), 0
    for _ in range(count):
        victims = [forked(counting(directory, name)) for name in ("one", "two")]
        time.sleep(chance.uniform(0.05, 0.15))
        os.kill(victims[0][0], signal.SIGKILL)
        os.waitpid(victims[0][0], 0)
        time.sleep(0.1)
        os.kill(victims[1][0], signal.SIGKILL)
        os.waitpid(victims[1][0], 0)
        reported = [last_reported(reading) for _, reading in victims]
        place = seat(directory)
        values = {record.key: int(record.value) for record in place.store().load().records}
        place.close()
        for name, last in zip(("one", "two"), reported, strict=True):
            assert last <= values.get(name, 0), f"{name}: acknowledged {last}, found {values.get(name)}"
        assert values.get("one", 0) + values.get("two", 0) == values["shared"], f"a change was torn: {values}"
        survivor_total = values.get("two", 0)
    assert survivor_total, "the survivor did not go on"
    print(survivor_total)


def run(scenario, directory):
    for number in SCENARIOS[scenario](directory, lambda _name: None):
        os.write(1, f"{number}\n".encode())


def main(action, what, directory, *more):
    directory = Path(directory)
    match action:
        case "steps":
            kill_at_each_step(what, directory)
        case "random":
            kill_at_random(int(what), directory)
        case "workers":
            kill_one_of_two(int(what), directory)
        case "run":
            run(what, directory)
        case "check":
            print(check(what, directory, int(more[0])))


if __name__ == "__main__":
    main(*sys.argv[1:])
