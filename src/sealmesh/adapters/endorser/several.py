"""Several Endorsers, asked in turn."""

from collections.abc import Sequence

from sealmesh.attestation import UnverifiedEvidence
from sealmesh.coordinator.ports import Endorser
from sealmesh.errors.attestation import EndorserError


class SeveralEndorsers:
    """Gives the answer of the first Endorser that has one.

    Args:
        endorsers: At least one.
    """

    def __init__(self, endorsers: Sequence[Endorser]) -> None:
        if not endorsers:
            raise ValueError("at least one Endorser")
        self._endorsers = tuple(endorsers)

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        """Return what the first that has something gives; what the others lack is in the error."""
        refusals: list[EndorserError] = []
        for endorser in self._endorsers:
            try:
                return endorser.collateral_for(evidence)
            except EndorserError as error:
                refusals.append(error)
        raise EndorserError(
            "no Endorser has collateral for this Evidence: " + "; ".join(error.message for error in refusals),
            wanted=refusals[0].wanted,
        )
