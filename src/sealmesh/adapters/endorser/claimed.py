"""Which platform some Evidence claims to be from; reading its certificate once per platform."""

from sealmesh.attestation import Family, UnverifiedEvidence
from sealmesh.attestation.dcap.pck import PckPlatform, unverified_platform
from sealmesh.attestation.sgx import SgxQuote
from sealmesh.errors.attestation import EndorserError

_CAPACITY = 1024


def dcap_family(evidence: UnverifiedEvidence) -> Family | None:
    """Return the family whose collateral Intel publishes for this Evidence, or None where it has none."""
    match evidence.dcap_quote:
        case None:
            return None
        case SgxQuote():
            return Family.SGX
        case _:
            return Family.TDX


class ClaimedPlatforms:
    """Remembers what the PCK certificates of Evidence say, by their exact bytes. Unverified.

    Threads may share one: the entries are replaced as a whole.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, PckPlatform] = {}

    def of(self, evidence: UnverifiedEvidence) -> PckPlatform:
        """Return the platform that `evidence` claims to be from.

        Raises:
            EndorserError: `endorser:pck`, it carries no PCK chain.
            EndorsementFormatError: Its certificates cannot be read.
            VerificationError: `profile:pck`.
        """
        chain = evidence.dcap.signature.certification.pck_chain
        if chain is None:
            raise EndorserError(
                "the quote names its PCK certificate instead of carrying it",
                code="endorser:pck",
                wanted="a server that has it (--endorser pcs or pccs), or a file with pck_certificate_chain",
            )
        return self.of_chain(chain)

    def of_chain(self, chain: bytes) -> PckPlatform:
        """Return the platform that a PCK chain claims; raises as `of`."""
        known = self._known.get(chain)
        if known is None:
            known = unverified_platform(chain)
            kept = self._known if len(self._known) < _CAPACITY else {}
            self._known = {**kept, chain: known}
        return known
