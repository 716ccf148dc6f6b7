"""What the operator says about Evidence: the Coordinator's own, the roots that are trusted, collateral.

Written as `none`, `simulated` or `simulated:DIR` for the Attester, and as a comma list of roots: `intel`,
`simulated`, `simulated:DIR`, `NAME=SHA256` (the root certificate's DER, in hex).
"""

import re
from dataclasses import dataclass
from pathlib import Path

from sealmesh.attestation import INTEL, Family, TrustRoot

_HEX_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class SimulatedPlatform:
    """A simulated SGX platform by its directory; None is the user's default one."""

    directory: Path | None = None


AttesterChoice = SimulatedPlatform | None
RootChoice = SimulatedPlatform | TrustRoot


def read_attester(text: str) -> AttesterChoice:
    """Read which Attester to use."""
    if text == "none":
        return None
    platform = _platform(text)
    if platform is None:
        raise ValueError("none, simulated or simulated:DIR")
    return platform


def read_roots(text: str) -> tuple[RootChoice, ...]:
    """Read which trust roots count."""
    return tuple(_root(entry.strip()) for entry in text.split(",") if entry.strip())


def _root(entry: str) -> RootChoice:
    if entry == "intel":
        return INTEL
    platform = _platform(entry)
    if platform is not None:
        return platform
    name, _, digest = entry.partition("=")
    if not _NAME.fullmatch(name) or not _HEX_DIGEST.fullmatch(digest):
        raise ValueError("intel, simulated, simulated:DIR or NAME=SHA256 of the root certificate")
    return TrustRoot(name=name, family=Family.SGX, sha256=bytes.fromhex(digest))


def _platform(text: str) -> SimulatedPlatform | None:
    if text == "simulated":
        return SimulatedPlatform()
    directory = text.removeprefix("simulated:")
    return SimulatedPlatform(Path(directory)) if directory != text and directory else None
