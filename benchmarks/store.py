"""What a commit to the sealed store writes, how long it takes, and how many share one."""

import os
import threading
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from benchmarks.table import Cost, Table
from sealmesh.adapters.sealer import PlatformKeys, Sealer
from sealmesh.adapters.store import SealedSeat
from sealmesh.coordinator.ports import Change, SealPlan, Store
from sealmesh.manifest import SealMode

_COMMITS = 200
_THREADS = 8
#: As long as the leaf of an admission.
_LEAF = b"x" * 680
_SECRET = b"s" * 300
#: Bytes; a commit writes what changed.
AIM_BYTES = 10_000


class _Steps:
    """Counts the writes to the disk."""

    def __init__(self) -> None:
        self.committed = 0

    def __call__(self, name: str) -> None:
        self.committed += name == "committed"


def commits(directory: Path, table: Table) -> None:
    """Measure a counted activation's commit (one record, one leaf) beside 10 and beside 1000 secrets."""
    table.head("A commit: one record and one leaf of the ledger, durable (fdatasync) before it returns")
    for secrets in (10, 1000):
        steps = _Steps()
        sealer = Sealer([PlatformKeys(lambda _mode, security_version: bytes(32))], entropy=os.urandom)
        place = directory / f"store-{secrets}"
        seat = SealedSeat(place, sealer=sealer, entropy=os.urandom, step=steps)
        with closing(seat):
            first = Change(puts={f"secret/s{n}": _SECRET for n in range(secrets)})
            store = seat.found(first, SealPlan(mode=SealMode.PRODUCT_KEY)).store
            _alone(store, secrets, table)
            _together(store, secrets, steps, table)


def _alone(store: Store, secrets: int, table: Table) -> None:
    took, cpu = [], []
    written = _bytes_written()
    for number in range(_COMMITS):
        change = _change(number)
        begin, used = time.perf_counter(), time.thread_time()
        store.commit(change)
        cpu.append(time.thread_time() - used)
        took.append(time.perf_counter() - begin)
    each = (_bytes_written() - written) / _COMMITS
    verdict = "met" if each <= AIM_BYTES else "MISSED"
    took.sort()
    table.cost(
        f"{secrets} secrets",
        Cost(quiet=min(cpu), middle=median(cpu)),
        note=f"{each:.0f} bytes (aim {AIM_BYTES}: {verdict}), "
        f"p50 {median(took) * 1000:.2f} ms, p99 {took[len(took) * 99 // 100] * 1000:.2f} ms",
    )


def _together(store: Store, secrets: int, steps: _Steps, table: Table) -> None:
    before, begin = steps.committed, time.perf_counter()

    def run() -> None:
        for _ in range(_COMMITS // _THREADS):
            store.commit(Change(appends=(_LEAF,)))

    threads = [threading.Thread(target=run) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = _COMMITS / (time.perf_counter() - begin)
    groups = steps.committed - before
    table.line(
        f"{secrets} secrets, {_THREADS} threads",
        f"{rate:.0f} commits/s, {_COMMITS / groups:.1f} in each write to the disk",
    )


def _change(number: int) -> Change:
    return Change(puts={"activations/m0": b"%d" % number}, appends=(_LEAF,))


def _bytes_written() -> int:
    """Return what this process handed to the kernel to write, checkpoints included."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("wchar")).split()[1])
