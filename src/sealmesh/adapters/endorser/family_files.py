"""Endorsements of families other than SGX and TDX, one file each in a directory.

    snp.pem     AMD's CA, root and revocation list; also for Azure on SNP
    cca.jwks    platform keys
    tpm.pem     attestation keys that Evidence does not name itself
    gpu.pem     revocation lists of NVIDIA's CAs
    gpu-ocsp/   OCSP responses, DER, one file for each certificate; a device gets those about its chain

What may stand in them: `sealmesh.attestation.endorsement_documents`. Read once, when it is made.
"""

from base64 import encodebytes
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sealmesh.adapters.endorser.contents import pem_blocks
from sealmesh.attestation import Family, UnverifiedEvidence
from sealmesh.attestation.certification import ocsp_serial, parse_pem_certificates
from sealmesh.attestation.endorsement_documents import OCSP_RESPONSE
from sealmesh.attestation.gpu import GpuEvidence
from sealmesh.attestation.gpu.verify import MAX_CHAIN
from sealmesh.errors.attestation import EndorsementFormatError, EndorserError

OCSP_DIRECTORY: Final = "gpu-ocsp"

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
            self._responses = [(ocsp_serial(raw), raw) for raw in _responses_in(directory)]
        except (OSError, EndorsementFormatError) as error:
            raise EndorserError(f"the endorsements in {directory} cannot be read: {error}") from error
        if not self._files and not self._responses:
            raise EndorserError(f"there are no endorsements in {directory}", wanted=", ".join(NAMES.values()))
        self._directory = directory

    @staticmethod
    def has_any(directory: Path) -> bool:
        """Return whether there is such a file."""
        return any((directory / name).exists() for name in (*NAMES.values(), OCSP_DIRECTORY))

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        """Return the file of this family; for a GPU, the OCSP responses about its chain too."""
        if isinstance(evidence.quote, GpuEvidence):
            found = self._for_gpu(evidence.quote)
            if found:
                return found
        raw = None if evidence.dcap_quote is not None else self._files.get(evidence.family)
        if raw is None:
            raise EndorserError(
                f"no endorsements for this family in {self._directory}",
                found=evidence.family,
                wanted=NAMES.get(evidence.family, "collateral of this platform"),
            )
        return raw

    def _for_gpu(self, quote: GpuEvidence) -> bytes:
        """Return lists and responses for a device, empty where there are none."""
        file = self._files.get(Family.GPU, b"")
        if not self._responses:
            return file
        chain = quote.chain or b"".join(pem for label, pem in pem_blocks(file) if label == b"CERTIFICATE")
        serials = {one.serial for one in parse_pem_certificates(chain, subject="gpu", most=MAX_CHAIN)}
        about = [raw for serial, raw in self._responses if serial in serials]
        return b"".join((file, *map(_pem, about)))


def _responses_in(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((directory / OCSP_DIRECTORY).glob("*.der"))]


def _pem(response: bytes) -> bytes:
    label = OCSP_RESPONSE.encode()
    return b"\n-----BEGIN %b-----\n%b-----END %b-----\n" % (label, encodebytes(response), label)
