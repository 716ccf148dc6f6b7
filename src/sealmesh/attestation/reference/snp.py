"""Reference Values for SEV-SNP guests."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from sealmesh.attestation.family import Family
from sealmesh.attestation.reference.compare import below, differ, empty, is_not, require_length, unequal
from sealmesh.attestation.snp import SnpClaims
from sealmesh.attestation.tcb import TcbAppraisal
from sealmesh.errors.attestation import Mismatch

TCB_PARTS = ("fmc", "bl", "tee", "snp", "ucode")
"""AMD's short names of what has a security version; `fmc` is Turin's only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnpReference:
    """Reference Values for an SNP guest.

    Attributes:
        measurement: 48 bytes, the launch digest, or None for any.
        id_key_digest: 48 bytes: whoever holds this key signed the launch digest; or None.
        author_key_digest: 48 bytes: the key that signed the ID key; or None.
        host_data: 32 bytes, or None for any.
        family_id: 16 bytes of the ID block, or None for any; so `image_id`.
        guest_svn: The lowest security version in the ID block, or None. Who signed the ID block also chose
            it: give the ID or author key with it.
        vmpl: The privilege level that asked; None: any.
        minimum_tcb: The lowest version of each part named, of `TCB_PARTS`, in the reported TCB.
        migration_agent: Whether a migration agent may be bound to the guest.
        smt: Whether the host must have SMT on, off (False), or either (None).
        debug: Whether the guest must be a debug guest: equal, not "may be".
    """

    family: ClassVar[Family] = Family.SNP

    measurement: bytes | None = None
    id_key_digest: bytes | None = None
    author_key_digest: bytes | None = None
    host_data: bytes | None = None
    family_id: bytes | None = None
    image_id: bytes | None = None
    guest_svn: int | None = None
    vmpl: int | None = 0
    minimum_tcb: Mapping[str, int] = field(default_factory=dict)
    migration_agent: bool = False
    smt: bool | None = None
    debug: bool = False

    def __post_init__(self) -> None:
        for name in ("measurement", "id_key_digest", "author_key_digest"):
            value = getattr(self, name)
            require_length(name, value, 48)
            if value is not None and not any(value):
                raise ValueError(f"{name} is zero, which stands for none")
        require_length("host_data", self.host_data, 32)
        require_length("family_id", self.family_id, 16)
        require_length("image_id", self.image_id, 16)
        if not self.minimum_tcb.keys() <= set(TCB_PARTS):
            raise ValueError(f"the parts of a TCB are {', '.join(TCB_PARTS)}")

    @property
    def is_empty(self) -> bool:
        """Whether any guest that is not a debug guest would do."""
        names_software = (self.measurement, self.id_key_digest, self.author_key_digest)
        return not self.debug and all(value is None for value in names_software)

    def differences(self, claims: SnpClaims, tcb: TcbAppraisal) -> Iterator[Mismatch]:
        """Yield everything that is not as wanted. AMD makes no statement on a TCB's status."""
        del tcb
        if self.is_empty:
            yield empty("Measurement, IDKeyDigest or AuthorKeyDigest")
        yield from differ("Measurement", claims.measurement, self.measurement)
        yield from differ("IDKeyDigest", claims.id_key_digest, self.id_key_digest)
        yield from differ("AuthorKeyDigest", claims.author_key_digest, self.author_key_digest)
        yield from differ("HostData", claims.host_data, self.host_data)
        yield from differ("FamilyID", claims.family_id, self.family_id)
        yield from differ("ImageID", claims.image_id, self.image_id)
        yield from below("GuestSVN", claims.guest_svn, self.guest_svn)
        yield from unequal("VMPL", claims.vmpl, self.vmpl)
        found = claims.reported_tcb.parts()
        for part, least in self.minimum_tcb.items():
            yield from below(f"MinimumTCB.{part}", found.get(part, -1), least)
        if claims.migrate_ma and not self.migration_agent:
            yield from is_not("MigrationAgent", claims.migrate_ma, False)
        yield from is_not("SMT", claims.smt, self.smt)
        yield from is_not("Debug", claims.debug, self.debug)
