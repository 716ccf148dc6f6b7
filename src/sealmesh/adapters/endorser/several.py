"""Several Endorsers, asked in turn."""

from collections.abc import Sequence
from contextlib import suppress

from sealmesh.attestation import UnverifiedEvidence, parse_collateral
from sealmesh.attestation.dcap.certificates import Role, parse_chain
from sealmesh.coordinator.ports import Endorser
from sealmesh.errors.attestation import EndorserError, EndorserUnreachable

_CAPACITY = 1024


class SeveralEndorsers:
    """Gives the collateral that is under the same root as the Evidence, else the first there is.

    Two simulated platforms are of the same kind (FMSPC) and have different vendors, so the first
    answer need not be the right one. Which Endorser was right is remembered per PCK chain; threads
    may share one, the memory is replaced as a whole.

    Args:
        endorsers: At least one.
    """

    def __init__(self, endorsers: Sequence[Endorser]) -> None:
        if not endorsers:
            raise ValueError("at least one Endorser")
        self._endorsers = tuple(endorsers)
        self._right: dict[bytes, Endorser] = {}

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        """Return the collateral for `evidence`.

        Raises:
            EndorserUnreachable: One of them may have some, but cannot fetch it.
            EndorserError: None of them has any; what each lacks is in the message.
            AttestationError: The certificates in the Evidence cannot be read.
        """
        chain = None if evidence.dcap_quote is None else evidence.dcap.signature.certification.pck_chain
        if chain is None:
            return self._first(evidence)
        known = self._right.get(chain)
        if known is not None:
            with suppress(EndorserError):
                return known.collateral_for(evidence)
        answers = self._answers(evidence)
        root = parse_chain(chain, Role.PCK, Role.CA, Role.ROOT)[-1].der
        for endorser, collateral in answers:
            if _root_of(collateral) == root:
                kept = self._right if len(self._right) < _CAPACITY else {}
                self._right = {**kept, chain: endorser}
                return collateral
        return answers[0][1]

    def _first(self, evidence: UnverifiedEvidence) -> bytes:
        """Return the first answer, where nothing in the Evidence tells which is right."""
        return self._answers(evidence)[0][1]

    def _answers(self, evidence: UnverifiedEvidence) -> list[tuple[Endorser, bytes]]:
        answers, refusals = self._ask(evidence)
        unreachable = [error for error in refusals if isinstance(error, EndorserUnreachable)]
        if not answers and unreachable:
            raise unreachable[0]
        if not answers and len(refusals) == 1:
            raise refusals[0]
        if not answers:
            raise EndorserError(
                "no Endorser has collateral for this Evidence: "
                + "; ".join(error.message for error in refusals),
                wanted=refusals[0].wanted,
            )
        return answers

    def _ask(self, evidence: UnverifiedEvidence) -> tuple[list[tuple[Endorser, bytes]], list[EndorserError]]:
        answers, refusals = [], []
        for endorser in self._endorsers:
            try:
                answers.append((endorser, endorser.collateral_for(evidence)))
            except EndorserError as error:
                refusals.append(error)
        return answers, refusals


def _root_of(collateral: bytes) -> bytes:
    chain = parse_collateral(collateral).pck_crl_issuer_chain
    return parse_chain(chain, Role.CA, Role.ROOT)[-1].der
