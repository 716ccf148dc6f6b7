"""A challenge for a Marble's TPM. Changes nothing: what it rests on comes back with the answer."""

from sealmesh.coordinator.admission import without_evidence
from sealmesh.coordinator.api import ChallengeReply
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.state import State
from sealmesh.coordinator.tpm_challenge import Challenger, Endorsement
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import MarbleUnauthenticated


def check_challenged(client_cert: bytes, state: State) -> None:
    """Do the cheap checks, which come before Evidence is looked at.

    Raises:
        PhaseError, MarbleUnauthenticated: In this order.
    """
    move(state.phase, Act.ACTIVATE)
    if not client_cert:
        raise MarbleUnauthenticated("the connection shows no client certificate")


def challenge(
    endorsement: Endorsement | SealmeshError | None, client_cert: bytes, state: State, context: Context
) -> ChallengeReply | None:
    """Return a challenge to be answered over the connection's certificate; None where none is needed.

    Args:
        endorsement: What looking at the Evidence came to; None where its key is given, or not of a TPM.
        client_cert: The DER that the connection shows.
        state: As of now.
        context: The time, and entropy for the challenge.

    Raises:
        EvidenceRefused: The Evidence cannot be read, or its EK certificate does not hold; not with the
            relaxation `insecure-empty-quotes`.
    """
    if isinstance(endorsement, SealmeshError):
        without_evidence(endorsement, context.settings)
        return None
    if endorsement is None:
        return None
    challenger = Challenger.of(state.authority, client_cert)
    return challenger.pose(endorsement, now=context.now, entropy=context.entropy)
