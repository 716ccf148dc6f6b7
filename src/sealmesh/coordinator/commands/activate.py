"""MarbleRun's activation: the Coordinator makes the key and sends it with everything else."""

from dataclasses import dataclass

from sealmesh.coordinator import acts
from sealmesh.coordinator.api import ActivationReply
from sealmesh.coordinator.candidate import (
    Application,
    Candidate,
    check_candidate,
    counting,
    expectations,
)
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.leaf import marble_certificate
from sealmesh.coordinator.marble_parameters import legacy_parameters
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.coordinator.state import State
from sealmesh.manifest import DEFAULT_LEGACY_LIFETIME

#: MarbleRun's contract shows P-384 here (COMPAT section 6).
_KEY_BITS = 384


@dataclass(frozen=True, slots=True, kw_only=True)
class Activate:
    """Admit a Marble over MarbleRun's call."""

    application: Application


def decide(command: Activate, state: State, context: Context) -> Decision[ActivationReply]:
    """Admit the Marble, count it where its type has a limit, and return what it gets.

    Raises:
        PhaseError, MarbleUnauthenticated, UnknownMarbleType, EvidenceRefused, ActivationLimitReached,
        BadUuid, BadCertificateRequest, ParametersRefused: The first of COMPAT section 5 that applies.
    """
    candidate = check_candidate(command.application, state, context.settings)
    key = context.keys.ec(_KEY_BITS)
    leaf = marble_certificate(
        candidate,
        state,
        context,
        key=key.public_key(),
        default_lifetime=DEFAULT_LEGACY_LIFETIME,
        spiffe_id=not _nameless(candidate, context),
    )
    parameters = legacy_parameters(candidate, state, context, leaf=leaf, key=key)
    return Decision(
        reply=ActivationReply(parameters=parameters),
        change=Change(
            puts=counting(candidate),
            expects=expectations(candidate, state),
            appends=(acts.marble_admitted(context.now, candidate=candidate, certificate=leaf, legacy=True),),
        ),
    )


def _nameless(candidate: Candidate, context: Context) -> bool:
    """Tell whether MarbleRun's form without any subject alternative name is wanted (COMPAT section 6)."""
    names = candidate.names
    return context.settings.relaxed(Relaxation.INSECURE_HOST_NAMES) and not (names.dns or names.ips)
