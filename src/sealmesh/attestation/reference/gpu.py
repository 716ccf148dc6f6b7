"""Reference Values for NVIDIA devices."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from sealmesh.attestation.family import Family
from sealmesh.attestation.gpu import GpuClaims
from sealmesh.attestation.reference.compare import empty, not_among, unequal, unlisted
from sealmesh.attestation.tcb import TcbAppraisal
from sealmesh.errors.attestation import Mismatch


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuReference:
    """Reference Values for a GPU or a switch.

    Attributes:
        drivers: Accepted driver versions, or None for any.
        vbioses: Accepted VBIOS versions as NVIDIA writes them, or None for any.
        mode: The feature flag (confidential computing mode), or None for any.
        measurements: By index, accepted values; from NVIDIA's reference manifests (RIM) for the driver and
            the VBIOS.
    """

    family: ClassVar[Family] = Family.GPU

    drivers: frozenset[str] | None = None
    vbioses: frozenset[str] | None = None
    mode: int | None = None
    measurements: Mapping[int, frozenset[bytes]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether a device with any firmware would do. Versions are only what the firmware says of itself."""
        return not self.measurements and (self.drivers is None or self.vbioses is None)

    def differences(self, claims: GpuClaims, tcb: TcbAppraisal) -> Iterator[Mismatch]:
        """Yield everything that is not as wanted. There is no statement on a TCB's status."""
        del tcb
        if self.is_empty:
            yield empty("Measurements, or Drivers and VBIOSes")
        yield from unlisted("Driver", claims.driver, self.drivers)
        yield from unlisted("VBIOS", claims.vbios, self.vbioses)
        yield from unequal("Mode", claims.mode, self.mode)
        for index, accepted in sorted(self.measurements.items()):
            found = claims.measurements.get(index)
            value = b"" if found is None else found.value
            yield from not_among(f"Measurements[{index}]", value, accepted)
