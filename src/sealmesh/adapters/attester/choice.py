"""Who makes Evidence, as an operator writes it; the same words for Marbles and for Coordinators.

none                 nobody
simulated[:DIR]      a simulated platform as SGX
simulated-tdx[:DIR]  the same as TDX; also -snp, -nitro, -tpm

and the real TEEs of `device_choice`.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sealmesh.adapters.attester.device_choice import FORMS as REAL_FORMS
from sealmesh.adapters.attester.device_choice import RealChoice, read_device
from sealmesh.attestation import Family

NONE: Final = "none"
SIMULATED: Final = {
    "simulated": Family.SGX,
    "simulated-tdx": Family.TDX,
    "simulated-snp": Family.SNP,
    "simulated-nitro": Family.NITRO,
    "simulated-tpm": Family.TPM,
}
FORMS: Final = f"{NONE}, or {', '.join(SIMULATED)}, each also with :DIR; {REAL_FORMS}"
#: In the user's home, so that programs that are started in different directories share one machine.
_DEFAULT: Final = Path(".local") / "share" / "sealmesh" / "simulated-platform"


@dataclass(frozen=True, slots=True)
class SimulatedPlatform:
    """A simulated platform by its directory; None is the user's default one."""

    directory: Path | None = None

    @property
    def path(self) -> Path:
        """Where it lives."""
        return self.directory or Path.home() / _DEFAULT


@dataclass(frozen=True, slots=True)
class SimulatedChoice:
    """A simulated platform, and the TEE that it pretends to be."""

    platform: SimulatedPlatform = field(default_factory=SimulatedPlatform)
    family: Family = Family.SGX


AttesterChoice = SimulatedChoice | RealChoice | None


def read_attester(text: str) -> AttesterChoice:
    """Read who makes Evidence. Raises ValueError saying what it wants."""
    kind, colon, directory = text.partition(":")
    if text == NONE:
        return None
    if kind in SIMULATED and bool(colon) is bool(directory):
        return SimulatedChoice(SimulatedPlatform(Path(directory) if directory else None), SIMULATED[kind])
    device = read_device(text)
    if device is None:
        raise ValueError(FORMS)
    return device
