"""Reference Values for TDX trust domains."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sealmesh.attestation.family import Family
from sealmesh.attestation.reference.compare import (
    below,
    differ,
    empty,
    is_not,
    not_among,
    require_length,
)
from sealmesh.attestation.reference.tcb import DEFAULT_TCB_STATUSES, tcb_differences
from sealmesh.attestation.tcb import TcbAppraisal, TcbStatus
from sealmesh.attestation.tdx import TdClaims
from sealmesh.errors.attestation import Mismatch

_SEPT_VE_DISABLE = 1 << 28
_NO_SERVICE_TD = bytes(48)
_RTMRS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TdxReference:
    """Reference Values for a TD.

    Attributes:
        mr_td: 48 bytes: firmware and what it was started with. Without it everything else is only what
            some firmware says, so that it must be given.
        rtmrs: Four runtime measurements, 48 bytes each, or None for any.
        mr_config_id: 48 bytes, or None for any; so `mr_owner` and `mr_owner_config`.
        mr_seams: Accepted measurements of the TDX module, or None for any that Intel signed.
        mr_service_td: The service TD that may be bound to this one; None: there must be none.
        attributes: The TD's attributes, 8 bytes, or None for any that the other fields accept.
        xfam: 8 bytes, or None for any.
        tee_tcb_svn: 16 bytes, the lowest version of each part of the TDX module, or None.
        sept_ve_disable: Whether the host must not be able to raise #VE in the TD; None: either.
        debug: Whether the TD must be a debug TD: equal, not "may be".
        accepted_tcb_statuses: As `SgxReference`.
        accepted_advisories: As `SgxReference`.
    """

    family: ClassVar[Family] = Family.TDX

    mr_td: bytes | None = None
    rtmrs: tuple[bytes | None, ...] = (None,) * _RTMRS
    mr_config_id: bytes | None = None
    mr_owner: bytes | None = None
    mr_owner_config: bytes | None = None
    mr_seams: frozenset[bytes] | None = None
    mr_service_td: bytes | None = None
    attributes: bytes | None = None
    xfam: bytes | None = None
    tee_tcb_svn: bytes | None = None
    sept_ve_disable: bool | None = True
    debug: bool = False
    accepted_tcb_statuses: frozenset[TcbStatus | str] = frozenset(DEFAULT_TCB_STATUSES)
    accepted_advisories: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if len(self.rtmrs) != _RTMRS:
            raise ValueError(f"{_RTMRS} RTMRs")
        digests = (self.mr_td, *self.rtmrs, self.mr_config_id, self.mr_owner, self.mr_owner_config)
        for digest in (*digests, *(self.mr_seams or ()), self.mr_service_td):
            require_length("a measurement of a TD", digest, 48)
        require_length("attributes", self.attributes, 8)
        require_length("xfam", self.xfam, 8)
        require_length("tee_tcb_svn", self.tee_tcb_svn, 16)

    @property
    def is_empty(self) -> bool:
        """Whether any TD that is not a debug TD would do."""
        return self.mr_td is None and not self.debug

    def differences(self, claims: TdClaims, tcb: TcbAppraisal) -> Iterator[Mismatch]:
        """Yield everything that is not as wanted."""
        if self.is_empty:
            yield empty("MRTD")
        yield from differ("MRTD", claims.mr_td, self.mr_td)
        for index, (found, wanted) in enumerate(zip(claims.rtmrs, self.rtmrs, strict=True)):
            yield from differ(f"RTMR{index}", found, wanted)
        yield from differ("MRConfigID", claims.mr_config_id, self.mr_config_id)
        yield from differ("MROwner", claims.mr_owner, self.mr_owner)
        yield from differ("MROwnerConfig", claims.mr_owner_config, self.mr_owner_config)
        yield from not_among("MRSEAM", claims.mr_seam, self.mr_seams)
        if claims.mr_service_td is not None:
            yield from differ("MRServiceTD", claims.mr_service_td, self.mr_service_td or _NO_SERVICE_TD)
        yield from differ("Attributes", claims.td_attributes, self.attributes)
        yield from differ("XFAM", claims.xfam, self.xfam)
        for index, least in enumerate(self.tee_tcb_svn or b""):
            yield from below(f"TEETCBSVN[{index}]", claims.tee_tcb_svn[index], least)
        disabled = bool(int.from_bytes(claims.td_attributes, "little") & _SEPT_VE_DISABLE)
        yield from is_not("SEPTVEDisable", disabled, self.sept_ve_disable)
        yield from is_not("Debug", claims.debug, self.debug)
        yield from tcb_differences(tcb, self.accepted_tcb_statuses, self.accepted_advisories)
