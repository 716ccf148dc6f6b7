"""Reference Values for Nitro Enclaves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from sealmesh.attestation.family import Family
from sealmesh.attestation.nitro import NitroClaims
from sealmesh.attestation.reference.compare import empty, is_not, registers, require_length
from sealmesh.attestation.tcb import TcbAppraisal
from sealmesh.errors.attestation import Mismatch

NAMES_SOFTWARE = (0, 1, 2, 8)
"""PCRs that say which software runs: image, kernel, application; who signed the image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NitroReference:
    """Reference Values for a Nitro Enclave.

    Attributes:
        pcrs: Registers, 48 bytes each. At least one of `NAMES_SOFTWARE`; zero is no value, for a debug
            enclave has it.
        debug: Whether the enclave must be a debug enclave: equal, not "may be".
    """

    family: ClassVar[Family] = Family.NITRO

    pcrs: Mapping[int, bytes] = field(default_factory=dict)
    debug: bool = False

    def __post_init__(self) -> None:
        for index, value in self.pcrs.items():
            require_length(f"PCR {index}", value, 48)
            if index in NAMES_SOFTWARE and not any(value):
                raise ValueError(f"PCR {index} is zero, which stands for not measured")

    @property
    def is_empty(self) -> bool:
        """Whether any enclave that is not a debug enclave would do."""
        return not self.debug and not any(index in self.pcrs for index in NAMES_SOFTWARE)

    def differences(self, claims: NitroClaims, tcb: TcbAppraisal) -> Iterator[Mismatch]:
        """Yield everything that is not as wanted. AWS makes no statement on a TCB's status."""
        del tcb
        if self.is_empty:
            yield empty("PCR 0, 1, 2 or 8")
        yield from registers(claims.pcrs, self.pcrs)
        yield from is_not("Debug", claims.debug, self.debug)
