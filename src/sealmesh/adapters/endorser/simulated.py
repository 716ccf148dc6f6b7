"""Collateral from the directory of a simulated platform."""

from sealmesh.adapters.attester.platform import PlatformDirectory
from sealmesh.adapters.endorser.claimed import ClaimedPlatforms, dcap_family
from sealmesh.attestation import UnverifiedEvidence
from sealmesh.errors.attestation import EndorserError


class SimulatedEndorser:
    """The collateral of one simulated platform, re-issued in time."""

    def __init__(self, directory: PlatformDirectory) -> None:
        self._directory = directory
        self._claimed = ClaimedPlatforms()

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        """Return this platform's collateral for Evidence of its kind of platform (FMSPC).

        Evidence of another simulated platform gets it too; verification then says why it is refused.
        """
        family = dcap_family(evidence)
        if family is None:
            raise EndorserError("a simulated platform's collateral is for SGX and TDX", found=evidence.family)
        found = self._claimed.of(evidence).fmspc
        wanted = self._directory.platform.identity.fmspc
        if found != wanted:
            raise EndorserError(
                f"no collateral for this platform in {self._directory.path}",
                found=wanted.hex(),
                wanted=found.hex(),
            )
        return self._directory.collateral(family)
