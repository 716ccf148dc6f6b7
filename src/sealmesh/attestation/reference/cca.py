"""Reference Values for Arm CCA realms."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sealmesh.attestation.cca import CcaClaims
from sealmesh.attestation.family import Family
from sealmesh.attestation.reference.compare import differ, empty, not_among, require_length
from sealmesh.attestation.tcb import TcbAppraisal
from sealmesh.errors.attestation import Mismatch

_DIGEST = (32, 48, 64)
_REMS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CcaReference:
    """Reference Values for a realm.

    Attributes:
        rim: The realm's initial measurement, or None for any.
        rems: Four extensible measurements, or None for any.
        personalization: 64 bytes, or None for any.
        implementation_ids: Kinds of platforms that are accepted, 32 bytes each, or None for any.
        firmware: Measurements of the platform's firmware that are accepted; each component must be one of
            them. None: any.
        firmware_signers: Digests of the keys that may have signed firmware; None: any.
        debug: Whether the platform must be outside of its secured lifecycle state, where debuggers may
            have it: equal, not "may be".
    """

    family: ClassVar[Family] = Family.CCA

    rim: bytes | None = None
    rems: tuple[bytes | None, ...] = (None,) * _REMS
    personalization: bytes | None = None
    implementation_ids: frozenset[bytes] | None = None
    firmware: frozenset[bytes] | None = None
    firmware_signers: frozenset[bytes] | None = None
    debug: bool = False

    def __post_init__(self) -> None:
        if len(self.rems) != _REMS:
            raise ValueError(f"{_REMS} extensible measurements")
        for digest in (self.rim, *self.rems, *(self.firmware or ()), *(self.firmware_signers or ())):
            require_length("a measurement", digest, *_DIGEST)
        require_length("personalization", self.personalization, 64)
        for identifier in self.implementation_ids or ():
            require_length("an implementation ID", identifier, 32)

    @property
    def is_empty(self) -> bool:
        """Whether any realm on a secured platform would do."""
        return self.rim is None and not self.debug

    def differences(self, claims: CcaClaims, tcb: TcbAppraisal) -> Iterator[Mismatch]:
        """Yield everything that is not as wanted. There is no statement on a TCB's status."""
        del tcb
        if self.is_empty:
            yield empty("RIM")
        yield from differ("RIM", claims.rim, self.rim)
        for index, (found, wanted) in enumerate(zip(claims.rem, self.rems, strict=True)):
            yield from differ(f"REM{index}", found, wanted)
        yield from differ("Personalization", claims.personalization, self.personalization)
        yield from not_among("ImplementationID", claims.implementation_id, self.implementation_ids)
        for component in claims.sw_components:
            name = component.name or "unnamed"
            yield from not_among(f"Firmware.{name}", component.measurement, self.firmware)
            yield from not_among(f"FirmwareSigner.{name}", component.signer_id, self.firmware_signers)
        if claims.secured is self.debug:
            yield Mismatch(
                field="Lifecycle",
                found=f"{claims.lifecycle:#06x}",
                wanted="a state with debugging" if self.debug else "secured (0x3000 to 0x30ff)",
            )
