"""Our own activation: the Marble keeps its key, and gets the Coordinator's Evidence over its nonce."""

from dataclasses import dataclass

from sealmesh.coordinator import acts
from sealmesh.coordinator.api import EnrolReply
from sealmesh.coordinator.candidate import Application, check_candidate, counting, expectations
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.credentials import credentials
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.leaf import marble_certificate
from sealmesh.coordinator.marble_parameters import own_parameters
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.state import State
from sealmesh.errors.coordinator import BadCertificateRequest
from sealmesh.manifest import DEFAULT_LIFETIME

NONCE_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """Admit a Marble over our own call.

    Attributes:
        evidence: The Coordinator's own, over root and the Marble's nonce; empty where it has none.
    """

    application: Application
    evidence: bytes
    endorsements: bytes


def check_nonce(nonce: bytes) -> None:
    """Accept a nonce of exactly 32 bytes.

    Raises:
        BadCertificateRequest: Another length; a short nonce would allow old Evidence.
    """
    if len(nonce) != NONCE_BYTES:
        raise BadCertificateRequest(
            "the nonce for the Coordinator's Evidence has the wrong length",
            code="bad-nonce",
            found=f"{len(nonce)} bytes",
            wanted=f"{NONCE_BYTES} bytes",
            remedy="Send random bytes, other ones with each call.",
        )


def decide(command: Enrol, state: State, context: Context) -> Decision[EnrolReply]:
    """Admit the Marble, count it where its type has a limit, certify its key, return what it gets.

    Raises:
        PhaseError, MarbleUnauthenticated, UnknownMarbleType, EvidenceRefused, ActivationLimitReached,
        BadUuid, BadCertificateRequest, ParametersRefused: The first that applies.
    """
    candidate = check_candidate(command.application, state, context.settings)
    leaf = marble_certificate(
        candidate,
        state,
        context,
        key=candidate.request.public_key,
        default_lifetime=DEFAULT_LIFETIME,
    )
    parameters, ttls = own_parameters(candidate, state, context, leaf=leaf)
    return Decision(
        reply=EnrolReply(
            parameters=parameters,
            credentials=credentials(leaf, ttls, state, context),
            coordinator_evidence=command.evidence,
            coordinator_endorsements=command.endorsements,
        ),
        change=Change(
            puts=counting(candidate),
            expects=expectations(candidate, state),
            appends=(acts.marble_admitted(context.now, candidate=candidate, certificate=leaf),),
        ),
    )
