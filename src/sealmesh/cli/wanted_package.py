"""A package of a manifest on disk, to compare Evidence with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealmesh.cli.manifest_file import manifest_bytes
from sealmesh.errors.attestation import AppraisalError, Mismatch
from sealmesh.errors.cli import UsageError

if TYPE_CHECKING:
    from sealmesh.attestation import Reference, VerifiedEvidence

_BOUND = "ReportData"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPackage:
    """A package of a manifest, whose Reference Values Evidence is compared with."""

    manifest: Path
    package: str

    def references(self) -> "Sequence[Reference]":
        """Return the forms of Evidence that the package accepts."""
        from sealmesh.coordinator.admission import references
        from sealmesh.manifest import parse_manifest

        packages = parse_manifest(manifest_bytes(self.manifest)).packages
        if self.package not in packages:
            raise UsageError(
                "the manifest has no such package", found=self.package, wanted=", ".join(packages)
            )
        return references(packages[self.package])

    def policy(self) -> str:
        """Return the name of the policy, as the Coordinator would write it."""
        from sealmesh.manifest import fingerprint

        return f"sealmesh-manifest:sha256:{fingerprint(manifest_bytes(self.manifest))}"

    def appraise(self, verified: "VerifiedEvidence") -> None:
        """Accept Evidence that meets one of the alternatives. Whose connection it is for is not looked at.

        Raises:
            AppraisalError: With what each alternative refuses.
        """
        from sealmesh.attestation import appraise

        refused: list[Mismatch] = []
        for reference in self.references():
            try:
                appraise(verified, reference, report_data=b"")
            except AppraisalError as error:
                found = [item for item in error.mismatches if not item.field.endswith(_BOUND)]
                if not found:
                    return
                refused += found
        raise AppraisalError(
            refused or [Mismatch(field="Family", found=verified.family, wanted="none at all")]
        )


def read_wanted(manifest: Path | None, package: str | None) -> WantedPackage | None:
    """Return the package that the options name, if they name one.

    Raises:
        UsageError: One is there without the other.
    """
    if manifest is None and package is None:
        return None
    if manifest is None or package is None:
        raise UsageError("--manifest and --package go together", wanted="both, or none")
    return WantedPackage(manifest=manifest, package=package)
