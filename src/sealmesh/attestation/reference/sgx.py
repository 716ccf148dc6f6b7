"""Reference Values for SGX enclaves."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sealmesh.attestation.family import Family
from sealmesh.attestation.reference.compare import below, differ, empty, is_not, require_length, unequal
from sealmesh.attestation.reference.tcb import DEFAULT_TCB_STATUSES, tcb_differences
from sealmesh.attestation.sgx import EnclaveClaims
from sealmesh.attestation.tcb import TcbAppraisal, TcbStatus
from sealmesh.errors.attestation import Mismatch


@dataclass(frozen=True, slots=True, kw_only=True)
class SgxReference:
    """Reference Values for an SGX enclave: what a Package of the Manifest says.

    Attributes:
        unique_id: MRENCLAVE, 32 bytes, or None for any.
        signer_id: MRSIGNER, 32 bytes, or None for any.
        product_id: ISVPRODID, or None for any.
        security_version: The lowest ISVSVN, or None for any.
        debug: Whether the enclave must be a debug enclave: equal, not "may be".
        accepted_tcb_statuses: Accepted besides UpToDate. Revoked and NotSupported never are.
        accepted_advisories: If given, every advisory of the platform must be among these, whatever
            its status; None accepts all.
    """

    family: ClassVar[Family] = Family.SGX

    unique_id: bytes | None = None
    signer_id: bytes | None = None
    product_id: int | None = None
    security_version: int | None = None
    debug: bool = False
    accepted_tcb_statuses: frozenset[TcbStatus | str] = frozenset(DEFAULT_TCB_STATUSES)
    accepted_advisories: frozenset[str] | None = None

    def __post_init__(self) -> None:
        require_length("unique_id", self.unique_id, 32)
        require_length("signer_id", self.signer_id, 32)

    @property
    def is_empty(self) -> bool:
        """Whether any enclave that is not a debug enclave would do."""
        values = (self.unique_id, self.signer_id, self.product_id, self.security_version)
        return not self.debug and all(value is None for value in values)

    def differences(self, claims: EnclaveClaims, tcb: TcbAppraisal) -> Iterator[Mismatch]:
        """Yield everything that is not as wanted."""
        if self.is_empty:
            yield empty("UniqueID, SignerID or another property")
        yield from differ("UniqueID", claims.mr_enclave, self.unique_id)
        yield from differ("SignerID", claims.mr_signer, self.signer_id)
        yield from unequal("ProductID", claims.isv_prod_id, self.product_id)
        yield from below("SecurityVersion", claims.isv_svn, self.security_version)
        yield from is_not("Debug", claims.debug, self.debug)
        yield from tcb_differences(tcb, self.accepted_tcb_statuses, self.accepted_advisories)
