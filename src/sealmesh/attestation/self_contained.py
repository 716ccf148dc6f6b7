"""Evidence that brings everything needed for its verification."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoCollateral:
    """The collateral of families whose Evidence carries its own chain (Nitro)."""
