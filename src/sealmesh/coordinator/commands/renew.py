"""A new certificate for a Marble that has one: the same rules again, but nothing is counted."""

from dataclasses import dataclass

from sealmesh.coordinator import acts
from sealmesh.coordinator.admission import Verdict
from sealmesh.coordinator.api import Credentials, PeerChain
from sealmesh.coordinator.candidate import Application, check_candidate, expectations
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.credentials import credentials
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.leaf import marble_certificate
from sealmesh.coordinator.marble_caller import authenticated_marble
from sealmesh.coordinator.marble_parameters import own_tls_document
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.state import State
from sealmesh.manifest import DEFAULT_LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew:
    """Certify a Marble's next key.

    Attributes:
        chain: Of the connection: the Marble's present certificate first. Not checked yet.
        verdict: Of fresh Evidence, made over that certificate.
    """

    csr: bytes
    chain: PeerChain
    verdict: Verdict


def decide(command: Renew, state: State, context: Context) -> Decision[Credentials]:
    """Certify the key in the request for the Marble that the connection's certificate names.

    Evidence is appraised against the manifest in force now, so a Marble that may no longer run ends with
    its certificate.

    Raises:
        PhaseError, MarbleUnauthenticated, UnknownMarbleType, EvidenceRefused, BadCertificateRequest:
            The first that applies.
    """
    move(state.phase, Act.RENEW)
    marble = authenticated_marble(command.chain, state, context.now)
    application = Application(
        marble_type=marble.marble_type,
        uuid=str(marble.uuid),
        csr=command.csr,
        client_cert=command.chain[0],
        verdict=command.verdict,
    )
    candidate = check_candidate(application, state, context.settings, act=Act.RENEW)
    leaf = marble_certificate(
        candidate, state, context, key=candidate.request.public_key, default_lifetime=DEFAULT_LIFETIME
    )
    return Decision(
        reply=credentials(leaf, own_tls_document(candidate, state, context), state, context),
        change=Change(
            expects=expectations(candidate, state),
            appends=(acts.marble_admitted(context.now, candidate=candidate, certificate=leaf, renewal=True),),
        ),
    )
