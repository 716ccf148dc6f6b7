"""Become a member of the mesh, and stay one: activate, renew, or MarbleRun's activation."""

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from sealmesh.adapters.attester.device import EvidenceDevice
from sealmesh.errors.marble import CoordinatorRefused
from sealmesh.ledger import RelyingPolicy
from sealmesh.marble.challenge import answer_challenge
from sealmesh.marble.config import CoordinatorAddress
from sealmesh.marble.credentials import LEGACY_KEY_BITS, OWN_KEY_BITS, MarbleKey, report_data
from sealmesh.marble.membership import Credentials, Membership, Parameters
from sealmesh.marble.mesh_port import ClientIdentity, call
from sealmesh.marble.tls_documents import parse_marblerun, parse_own
from sealmesh.marble.verification import (
    Received,
    VerifiedIdentity,
    Wanted,
    verify_certificates,
    verify_coordinator_evidence,
)
from sealmesh.pki import parse_marble_id, trust_domain
from sealmesh.pki.reading import UNREADABLE
from sealmesh.policy import UNRESTRICTED_MESH, from_json
from sealmesh.provisioning.rendering import (
    CHAIN_VARIABLE,
    COORDINATOR_ROOT_VARIABLE,
    KEY_VARIABLE,
    ROOT_VARIABLE,
    TTLS_VARIABLE,
)
from sealmesh.wire.enrolment import endorsements_of
from sealmesh.wire.enrolment_pb2 import (
    ActivateRequest,
    ActivateResponse,
    ChallengeAnswer,
    RenewRequest,
    RenewResponse,
)
from sealmesh.wire.marble_pb2 import ActivationReq, ActivationResp
from sealmesh.wire.methods import ACTIVATE, ENROL, RENEW

_NONCE_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who asks: the same for every activation and renewal of this process.

    Attributes:
        attester: None only for a legacy activation that proves nothing.
    """

    address: CoordinatorAddress
    attester: EvidenceDevice | None
    marble_type: str
    uuid: UUID
    dns_names: tuple[str, ...]
    clock: Callable[[], datetime]

    def evidence(self, certificate: x509.Certificate) -> bytes:
        """Return Evidence for a connection with this client certificate."""
        return b"" if self.attester is None else self.attester.evidence(report_data(certificate))

    def answer(self, identity: ClientIdentity, evidence: bytes) -> ChallengeAnswer | None:
        """Return what a TPM answers to a challenge over this connection's certificate; None without one."""
        return answer_challenge(self.address, identity, self.attester, evidence)


def activate(applicant: Applicant, policy: RelyingPolicy) -> Membership:
    """Join the mesh with a key of our own, and verify the Coordinator before believing a word.

    Raises:
        CoordinatorUnavailable: It is away, or admits nobody now.
        ActivationRefused: It refused this Marble.
        CoordinatorRefused: It is not the Coordinator that `policy` wants.
    """
    key = MarbleKey.generate(OWN_KEY_BITS)
    shown = key.self_signed(now=applicant.clock())
    identity, evidence = _identity(shown, key), applicant.evidence(shown)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    request = ActivateRequest(
        evidence=evidence,
        csr=key.request(applicant.dns_names),
        marble_type=applicant.marble_type,
        uuid=str(applicant.uuid),
        coordinator_nonce=nonce,
        answer=applicant.answer(identity, evidence),
        inflates=True,
    )
    answer = call(applicant.address, identity, ENROL, request, ActivateResponse)
    reply = answer.reply
    root = reply.coordinator_chain[-1] if reply.coordinator_chain else b""
    verify_coordinator_evidence(
        reply.coordinator_evidence,
        _endorsements(reply),
        root=root,
        nonce=nonce,
        policy=policy,
        now=applicant.clock(),
    )
    _check_relaxations(reply.relaxations, policy)
    credentials = _verified_credentials(applicant, reply, key, answer.server_certificate)
    parameters = Parameters(files=dict(reply.files), env=dict(reply.env), argv=tuple(reply.argv))
    return Membership(credentials=credentials, parameters=parameters)


def _endorsements(reply: ActivateResponse) -> bytes:
    try:
        return endorsements_of(reply)
    except ValueError as error:
        raise CoordinatorRefused("The Coordinator's endorsements cannot be read", found=str(error)) from error


def renew(applicant: Applicant, current: Credentials) -> Credentials:
    """Get the next certificate, for a new key, over a connection that shows the current one.

    Raises:
        CoordinatorUnavailable, ActivationRefused, CoordinatorRefused: As for `activate`.
    """
    key = MarbleKey.generate(OWN_KEY_BITS)
    leaf = x509.load_pem_x509_certificate(current.certificate_chain_pem.encode())
    identity = ClientIdentity(certificate_chain=current.certificate_chain_pem, key=current.key_pem)
    evidence = applicant.evidence(leaf)
    request = RenewRequest(
        evidence=evidence,
        csr=key.request(applicant.dns_names),
        answer=applicant.answer(identity, evidence),
    )
    answer = call(applicant.address, identity, RENEW, request, RenewResponse)
    renewed = _verified_credentials(applicant, answer.reply, key, answer.server_certificate)
    return _of_the_same_mesh(renewed, current)


def rejoin(applicant: Applicant, current: Credentials, policy: RelyingPolicy) -> Credentials:
    """Get a certificate after `current` has expired: nothing is left to renew with, so activate again.

    The program goes on with the parameters it has. It counts as an activation.

    Raises:
        CoordinatorUnavailable, ActivationRefused, CoordinatorRefused: As for `activate`.
    """
    return _of_the_same_mesh(activate(applicant, policy).credentials, current)


def activate_legacy(applicant: Applicant) -> Membership:
    """Join over MarbleRun's call: the Coordinator makes the key, and is not verified.

    The access policy does not travel this way: the wrap then lets in any Marble of the mesh.

    Raises:
        CoordinatorUnavailable: It is away, or admits nobody now.
        ActivationRefused: It refused this Marble.
        CoordinatorRefused: The answer lacks what MarbleRun's contract promises.
    """
    key = MarbleKey.generate(LEGACY_KEY_BITS)
    shown = key.self_signed(now=applicant.clock())
    request = ActivationReq(
        Quote=applicant.evidence(shown),
        CSR=key.request(applicant.dns_names),
        MarbleType=applicant.marble_type,
        UUID=str(applicant.uuid),
    )
    answer = call(applicant.address, _identity(shown, key), ACTIVATE, request, ActivationResp)
    given = answer.reply.Parameters
    parameters = Parameters(files=dict(given.Files), env=dict(given.Env), argv=tuple(given.Argv))
    return Membership(credentials=_legacy_credentials(parameters), parameters=parameters)


def _of_the_same_mesh(credentials: Credentials, current: Credentials) -> Credentials:
    if credentials.coordinator_root != current.coordinator_root:
        raise CoordinatorRefused(
            "The Coordinator has another root than the attested one",
            remedy="It was set up anew: start this Marble again, so that it verifies and joins the new mesh",
        )
    return credentials


def _identity(certificate: x509.Certificate, key: MarbleKey) -> ClientIdentity:
    return ClientIdentity(certificate_chain=_pem(certificate.public_bytes(Encoding.DER)), key=key.pem)


def _verified_credentials(
    applicant: Applicant, reply: ActivateResponse | RenewResponse, key: MarbleKey, server: bytes
) -> Credentials:
    received = Received(
        coordinator_chain=tuple(reply.coordinator_chain),
        certificate_chain=tuple(reply.certificate_chain),
        marble_root=reply.marble_root,
        server_certificate=server,
    )
    verified = verify_certificates(
        received,
        Wanted(
            public_key=key.private.public_key(),
            marble_type=applicant.marble_type,
            uuid=applicant.uuid,
            now=applicant.clock(),
        ),
    )
    return _credentials(reply, verified, key)


def _credentials(
    reply: ActivateResponse | RenewResponse, verified: VerifiedIdentity, key: MarbleKey
) -> Credentials:
    return Credentials(
        certificate_chain_pem="".join(map(_pem, reply.certificate_chain)),
        key_pem=key.pem,
        marble_root_pem=_pem(reply.marble_root),
        coordinator_root=verified.root,
        trust_domain=verified.trust_domain,
        spiffe_id=verified.spiffe_id,
        policy=from_json(reply.access_policy),
        tls=parse_own(reply.ttls),
        not_after=verified.not_after,
        renew_after=datetime.fromtimestamp(reply.renew_after_unix, UTC) if reply.renew_after_unix else None,
        simulation=reply.simulation or verified.simulation,
        relaxations=tuple(reply.relaxations),
    )


def _check_relaxations(relaxations: Sequence[str], policy: RelyingPolicy) -> None:
    if policy.relaxations is not None and not set(relaxations) <= policy.relaxations:
        raise CoordinatorRefused(
            "The Coordinator runs with relaxations that the package's policy does not allow",
            found=", ".join(sorted(set(relaxations) - policy.relaxations)),
            wanted=", ".join(sorted(policy.relaxations)) or "none",
        )


def _legacy_credentials(parameters: Parameters) -> Credentials:
    try:
        env = parameters.env
        chain = env[CHAIN_VARIABLE].decode()
        leaf = x509.load_pem_x509_certificate(env[CHAIN_VARIABLE])
        root = x509.load_pem_x509_certificate(env[COORDINATOR_ROOT_VARIABLE])
        load_pem_private_key(env[KEY_VARIABLE], None)
        spiffe_id = _spiffe_id(leaf)
        return Credentials(
            certificate_chain_pem=chain,
            key_pem=env[KEY_VARIABLE].decode(),
            marble_root_pem=env[ROOT_VARIABLE].decode(),
            coordinator_root=root.public_bytes(Encoding.DER),
            trust_domain=trust_domain(root.public_key()),
            spiffe_id=spiffe_id,
            policy=UNRESTRICTED_MESH,
            tls=parse_marblerun(env[TTLS_VARIABLE]) if TTLS_VARIABLE in env else parse_own(b""),
            not_after=leaf.not_valid_after_utc,
            renew_after=None,
            simulation=False,
        )
    except (KeyError, *UNREADABLE) as error:
        raise CoordinatorRefused(
            "The Coordinator's answer lacks what a Marble needs", found=repr(error)
        ) from error


def _spiffe_id(leaf: x509.Certificate) -> str | None:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    uris = [
        uri
        for uri in names.get_values_for_type(x509.UniformResourceIdentifier)
        if uri.startswith("spiffe://")
    ]
    return str(parse_marble_id(uris[0])) if len(uris) == 1 else None


def _pem(der: bytes) -> str:
    text = base64.b64encode(der).decode("ascii")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
