"""A check that is left out, written out in full."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Stands where a revocation list, nonce or collateral could stand: the caller does without it.

    Leaving something out by accident is not possible: the place must be filled with this.
    """
