"""What the verification of any family gives back."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.tcb import NOT_JUDGED, TcbAppraisal
from sealmesh.attestation.validity import Validity

ClaimsT = TypeVar("ClaimsT", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Genuine(Generic[ClaimsT]):
    """The outcome of a family's `verify`; becomes a `VerifiedEvidence`.

    Attributes:
        root: The trust root it was verified under.
        validity: When every certificate, list and document that was used is valid.
        claims: The facts, of the family's own type.
        tcb: The vendor's word about the firmware, where the family has one.
    """

    root: TrustRoot
    validity: Validity
    claims: ClaimsT
    tcb: TcbAppraisal = NOT_JUDGED
