"""Reference Values for several pieces of Evidence that belong together."""

from dataclasses import dataclass
from typing import ClassVar

from sealmesh.attestation.family import Family
from sealmesh.attestation.reference.azure import AzureReference
from sealmesh.attestation.reference.cca import CcaReference
from sealmesh.attestation.reference.gpu import GpuReference
from sealmesh.attestation.reference.nitro import NitroReference
from sealmesh.attestation.reference.sgx import SgxReference
from sealmesh.attestation.reference.snp import SnpReference
from sealmesh.attestation.reference.tdx import TdxReference
from sealmesh.attestation.reference.tpm import TpmReference

SingleReference = (
    SgxReference
    | TdxReference
    | SnpReference
    | NitroReference
    | TpmReference
    | AzureReference
    | CcaReference
    | GpuReference
)
"""Reference Values of one family."""

COLLECTORS = frozenset(Family) - {Family.COMPOSITE, Family.TPM, Family.GPU}
"""Families whose Evidence is over bytes that measured software chose: only such can vouch for the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """A confidential VM and its vTPM and its GPU: each must be as wanted, and they must be one machine's.

    That they belong together is not a wish of this reference but always demanded (`attestation.composite`).

    Attributes:
        parts: Reference Values of each part, in the order of the Evidence; the first is of the TEE whose
            software collected the others.
    """

    family: ClassVar[Family] = Family.COMPOSITE

    parts: tuple[SingleReference, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise ValueError("a composite has at least two parts")
        if self.parts[0].family not in COLLECTORS:
            raise ValueError(f"the first part is of {', '.join(sorted(COLLECTORS))}")

    @property
    def is_empty(self) -> bool:
        """Whether one of the parts could be anything."""
        return any(part.is_empty for part in self.parts)

    @property
    def debug(self) -> bool:
        """Whether one of the parts must be a debug one."""
        return any(getattr(part, "debug", False) for part in self.parts)
