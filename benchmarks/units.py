"""The unit of every figure: one P-384 verification by `cryptography`, timed in the same run."""

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from statistics import median

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_MESSAGE = b"sealmesh" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """CPU seconds of single operations on this machine, now."""

    p384_verify: float
    p384_sign: float
    p256_verify: float


def cpu_per_call(operation: Callable[[], object], *, calls: int = 200, rounds: int = 5) -> float:
    """Return the median over `rounds` of the CPU seconds per call."""
    operation()
    figures = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            operation()
        figures.append((time.process_time() - start) / calls)
    return median(figures)


class UnitClock:
    """Times the unit again and again: on a shared machine it changes within seconds, for each core.

    Args:
        cpus: Where it is timed; anywhere if it is empty.
    """

    def __init__(self, cpus: Collection[int] = ()) -> None:
        self._cpus = cpus
        algorithm = ec.ECDSA(hashes.SHA384())
        key = ec.generate_private_key(ec.SECP384R1())
        signature, public = key.sign(_MESSAGE, algorithm), key.public_key()
        self._verify = lambda: public.verify(signature, _MESSAGE, algorithm)

    def time(self) -> float:
        """Return the CPU seconds of one P-384 verification now; takes about 50 ms."""
        with _on(self._cpus):
            return cpu_per_call(self._verify, calls=40, rounds=3)


@contextlib.contextmanager
def _on(cpus: Collection[int]) -> Iterator[None]:
    if not cpus:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure_units() -> Units:
    """Time the primitives."""
    message = _MESSAGE
    key384, key256 = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256R1())
    sha384, sha256 = ec.ECDSA(hashes.SHA384()), ec.ECDSA(hashes.SHA256())
    signature384, signature256 = key384.sign(message, sha384), key256.sign(message, sha256)
    public384, public256 = key384.public_key(), key256.public_key()
    return Units(
        p384_verify=cpu_per_call(lambda: public384.verify(signature384, message, sha384)),
        p384_sign=cpu_per_call(lambda: key384.sign(message, sha384)),
        p256_verify=cpu_per_call(lambda: public256.verify(signature256, message, sha256)),
    )
