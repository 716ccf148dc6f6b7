"""Is an input a finding? Judged without the fuzzer and its instrumentation, which cost time and memory."""

import time
import traceback
import tracemalloc
from contextlib import suppress

from fuzz.target import Target
from sealmesh.errors import SealmeshError

_TRIES = 5


def judge(target: Target, data: bytes) -> str | None:
    """Return what is wrong with how `target` takes `data`; None where nothing is."""
    try:
        milliseconds = _milliseconds(target, data)
        megabytes = _megabytes(target, data)
    except Exception:
        return traceback.format_exc()
    if milliseconds > target.milliseconds:
        return f"took {milliseconds:.0f} ms of processor time; {target.milliseconds:.0f} are allowed"
    if megabytes > target.megabytes:
        return f"took {megabytes:.0f} MB; {target.megabytes:.0f} are allowed"
    return None


def _milliseconds(target: Target, data: bytes) -> float:
    """Return the least of some tries; one suffices where it is little."""
    least = float("inf")
    for _ in range(_TRIES):
        begin = time.process_time()
        with suppress(SealmeshError):
            target.run(data)
        least = min(least, (time.process_time() - begin) * 1000)
        if least <= target.milliseconds:
            break
    return least


def _megabytes(target: Target, data: bytes) -> float:
    tracemalloc.start()
    try:
        with suppress(SealmeshError):
            target.run(data)
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
