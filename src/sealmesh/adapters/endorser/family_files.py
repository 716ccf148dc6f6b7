"""Endorsements of families other than SGX and TDX, one file each in a directory.

    snp.pem     AMD's CA, root and revocation list; also for Azure on SNP
    cca.jwks    platform keys
    tpm.pem     attestation keys that Evidence does not name itself
    gpu.pem     revocation lists of NVIDIA's CAs

What may stand in them: `sealmesh.attestation.endorsement_documents`. Read once, when it is made.
"""

from collections.abc import Mapping
from pathlib import Path

from sealmesh.attestation import Family, UnverifiedEvidence
from sealmesh.errors.attestation import EndorserError

NAMES: Mapping[Family, str] = {
    Family.SNP: "snp.pem",
    Family.AZURE: "snp.pem",
    Family.CCA: "cca.jwks",
    Family.TPM: "tpm.pem",
    Family.GPU: "gpu.pem",
}


class FamilyFilesEndorser:
    """Endorsements from such a directory.

    Args:
        directory: Holds at least one of the files.

    Raises:
        EndorserError: A file cannot be read, or there is none.
    """

    def __init__(self, directory: Path) -> None:
        try:
            self._files = {
                family: (directory / name).read_bytes()
                for family, name in NAMES.items()
                if (directory / name).exists()
            }
        except OSError as error:
            raise EndorserError(f"the endorsements in {directory} cannot be read: {error}") from error
        if not self._files:
            raise EndorserError(f"there are no endorsements in {directory}", wanted=", ".join(NAMES.values()))
        self._directory = directory

    @staticmethod
    def has_any(directory: Path) -> bool:
        """Return whether there is such a file."""
        return any((directory / name).exists() for name in NAMES.values())

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        """Return the file of this family."""
        raw = None if evidence.dcap_quote is not None else self._files.get(evidence.family)
        if raw is None:
            raise EndorserError(
                f"no endorsements for this family in {self._directory}",
                found=evidence.family,
                wanted=NAMES.get(evidence.family, "collateral of this platform"),
            )
        return raw
