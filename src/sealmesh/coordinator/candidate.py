"""The checks that a Marble passes before anything is made for it, in MarbleRun's order.

COMPAT section 5: phase, client certificate, type, package and Evidence, limit, UUID, request. The first that
fails is the answer, so the order is part of the contract.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sealmesh.coordinator import places
from sealmesh.coordinator.admission import NO_INFRASTRUCTURES, Admission, Verdict, admit
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.marble_names import certificate_names
from sealmesh.coordinator.marble_uuid import parse_marble_uuid
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.coordinator.state import State
from sealmesh.errors.coordinator import (
    ActivationLimitReached,
    BadCertificateRequest,
    MarbleUnauthenticated,
    UnknownMarbleType,
)
from sealmesh.errors.pki import PkiError
from sealmesh.manifest import Infrastructure, Marble
from sealmesh.pki import CertificateRequest, SubjectNames, parse_csr


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What a Marble sends to be admitted."""

    marble_type: str
    uuid: str
    csr: bytes
    client_cert: bytes
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A Marble that may come in.

    Attributes:
        names: What its certificate will carry.
        count: How often its type was activated before; None for a type without a limit.
    """

    marble_type: str
    marble: Marble
    uuid: UUID
    request: CertificateRequest
    names: SubjectNames
    admission: Admission
    count: int | None

    @property
    def simulation(self) -> bool:
        """Whether what it runs on is simulated."""
        return self.admission.simulation


def check_candidate(
    application: Application, state: State, settings: Settings, *, act: Act = Act.ACTIVATE
) -> Candidate:
    """Return the Marble that applies, if all rules admit it.

    Raises:
        PhaseError, MarbleUnauthenticated, UnknownMarbleType, EvidenceRefused, ActivationLimitReached,
        BadUuid, BadCertificateRequest: In this order.
    """
    marble = check_applicant(application.marble_type, application.client_cert, state, act=act)
    admission = admit(
        application.verdict,
        package=state.package(marble.package),
        infrastructures=_infrastructures(state, settings),
        simulation_allowed=state.running.manifest.simulation,
        settings=settings,
        certificate=application.client_cert,
    )
    count = _count(application.marble_type, marble, state) if act is Act.ACTIVATE else None
    uuid = parse_marble_uuid(application.uuid)
    request = _request(application.csr)
    return Candidate(
        marble_type=application.marble_type,
        marble=marble,
        uuid=uuid,
        request=request,
        names=certificate_names(application.marble_type, marble, request, state.running.owners, settings),
        admission=admission,
        count=count,
    )


def _infrastructures(state: State, settings: Settings) -> Mapping[str, Infrastructure]:
    """Return what the manifest wants of machines; read leniently, as MarbleRun does, nothing."""
    lenient = settings.relaxed(Relaxation.LENIENT_MANIFEST)
    return NO_INFRASTRUCTURES if lenient else state.running.manifest.infrastructures


def expectations(candidate: Candidate, state: State) -> dict[str, int]:
    """Return the records that admitting `candidate` rests on, with the versions they were read at.

    Among them are the uploaded secrets that the Marble gets: when the ledger says that one was written before
    the Marble came in, the Marble has the new value. (Generated ones change with manifest or authority.)
    """
    rests_on = [places.MANIFEST, places.AUTHORITY, places.package_version(candidate.marble.package)]
    secrets = state.running.manifest.secrets
    needed = state.running.compiled.marble(candidate.marble_type).needed
    rests_on += [places.secret(name) for name in needed if secrets[name].user_defined]
    if candidate.count is not None:
        rests_on.append(places.activations(candidate.marble_type))
    return {key: state.shelves.version_of(key) for key in rests_on}


def counting(candidate: Candidate) -> dict[str, bytes | None]:
    """Return the record that counts this activation, if the type has a limit."""
    if candidate.count is None:
        return {}
    return {places.activations(candidate.marble_type): b"%d" % (candidate.count + 1)}


def check_applicant(marble_type: str, client_cert: bytes, state: State, *, act: Act = Act.ACTIVATE) -> Marble:
    """Do the cheap first checks, which come before Evidence is looked at; return the Marble type's rules.

    Raises:
        PhaseError, MarbleUnauthenticated, UnknownMarbleType: In this order.
    """
    move(state.phase, act)
    if not client_cert:
        raise MarbleUnauthenticated("the connection shows no client certificate")
    marble = state.running.manifest.marbles.get(marble_type)
    if marble is None:
        raise UnknownMarbleType("the manifest has no such Marble type", found=repr(marble_type[:256]))
    return marble


def _count(marble_type: str, marble: Marble, state: State) -> int | None:
    if not marble.max_activations:
        return None
    count = state.activations(marble_type)
    if count >= marble.max_activations:
        raise ActivationLimitReached(
            f"`{marble_type}` may not be activated again",
            found=f"{count} activations",
            wanted=f"fewer than {marble.max_activations} before this one",
        )
    return count


def _request(csr: bytes) -> CertificateRequest:
    try:
        return parse_csr(csr)
    except PkiError as error:
        raise BadCertificateRequest(
            error.message, found=error.found, wanted=error.wanted, remedy=error.remedy
        ) from error
