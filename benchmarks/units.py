"""The unit of every figure: one P-384 verification by `cryptography`, timed in the same run."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """CPU seconds of single operations on this machine, now."""

    p384_verify: float
    p384_sign: float
    p256_verify: float

    def of(self, cpu_seconds: float) -> float:
        """Return `cpu_seconds` in P-384 verifications."""
        return cpu_seconds / self.p384_verify


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


def measure_units() -> Units:
    """Time the primitives."""
    message = b"sealmesh" * 40
    key384, key256 = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256R1())
    sha384, sha256 = ec.ECDSA(hashes.SHA384()), ec.ECDSA(hashes.SHA256())
    signature384, signature256 = key384.sign(message, sha384), key256.sign(message, sha256)
    public384, public256 = key384.public_key(), key256.public_key()
    return Units(
        p384_verify=cpu_per_call(lambda: public384.verify(signature384, message, sha384)),
        p384_sign=cpu_per_call(lambda: key384.sign(message, sha384)),
        p256_verify=cpu_per_call(lambda: public256.verify(signature256, message, sha256)),
    )
