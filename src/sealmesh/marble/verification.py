"""Verify the Coordinator, and what it gave, before anything of it is applied.

1. Its Evidence is genuine now, under a root that the measured policy names.
2. It is the software the policy wants, and binds SHA-256(root certificate || our nonce).
3. The root issued the intermediate, and they are CA certificates of one mesh.
4. The TLS server that we talked to holds the intermediate's key, or one that the intermediate certified as
   the Coordinator's (`pki.server_leaf`).
5. The Marble root has the intermediate's key.
6. The leaf certifies our key, names our type and UUID, and chains to the attested root.

On renewal, 1 and 2 are replaced by the root that was attested at the activation. Not checked: which
manifest the Coordinator enforces. It admits this measured package by it; that is for the relying party.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.attestation import REPORT_DATA_LENGTH
from sealmesh.errors import SealmeshError
from sealmesh.errors.attestation import AttestationError
from sealmesh.errors.marble import CoordinatorRefused
from sealmesh.errors.pki import MarbleChainError
from sealmesh.ledger import RelyingPolicy, judge_coordinator
from sealmesh.pki import marble_id, trust_domain, verify_coordinator_leaf, verify_marble_chain
from sealmesh.pki.reading import UNREADABLE

_CHAIN_LENGTH: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The certificates of an answer, unverified; all DER."""

    coordinator_chain: Sequence[bytes]
    certificate_chain: Sequence[bytes]
    marble_root: bytes
    server_certificate: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who we are, and when it is."""

    public_key: CertificatePublicKeyTypes
    marble_type: str
    uuid: UUID
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedIdentity:
    """What holds after all steps."""

    root: bytes
    trust_domain: str
    spiffe_id: str
    not_after: datetime
    simulation: bool


def verify_coordinator_evidence(
    evidence: bytes, endorsements: bytes, *, root: bytes, nonce: bytes, policy: RelyingPolicy, now: datetime
) -> None:
    """Steps 1 and 2.

    Raises:
        CoordinatorRefused: It gave no Evidence, or such that is not genuine or not of the wanted software;
            all mismatches are named.
    """
    if not evidence:
        raise CoordinatorRefused(
            "The Coordinator proves nothing about itself",
            found="no Evidence",
            wanted="what the package's policy says",
        )
    bound = sha256(root + nonce).digest().ljust(REPORT_DATA_LENGTH, b"\0")
    try:
        judge_coordinator(evidence, endorsements, policy, report_data=bound, now=now)
    except AttestationError as error:
        raise CoordinatorRefused(
            f"The Coordinator is not the one that the package's policy wants: {error.message}",
            found=error.found,
            wanted=error.wanted,
        ) from error


def verify_certificates(received: Received, wanted: Wanted) -> VerifiedIdentity:
    """Steps 3 to 6; that the root is the right one is for the caller.

    Raises:
        CoordinatorRefused: A step failed.
    """
    try:
        return _verify_certificates(received, wanted)
    except CoordinatorRefused:
        raise
    except (SealmeshError, InvalidSignature, *UNREADABLE) as error:
        raise CoordinatorRefused(
            "The certificates that the Coordinator sent do not fit together", found=str(error)[:300]
        ) from error


def _verify_certificates(received: Received, wanted: Wanted) -> VerifiedIdentity:
    if len(received.coordinator_chain) != _CHAIN_LENGTH or not received.certificate_chain:
        raise CoordinatorRefused(
            "The Coordinator's chain is not intermediate and root",
            found=f"{len(received.coordinator_chain)} and {len(received.certificate_chain)} certificates",
        )
    intermediate, root = (x509.load_der_x509_certificate(der) for der in received.coordinator_chain)
    intermediate.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    marble_root = x509.load_der_x509_certificate(received.marble_root)
    server = x509.load_der_x509_certificate(received.server_certificate)
    if _spki(marble_root) != _spki(intermediate):
        raise _other_key("Marble root", "another key")
    if _spki(server) != _spki(intermediate):
        try:
            verify_coordinator_leaf(
                received.server_certificate, intermediate=received.coordinator_chain[0], now=wanted.now
            )
        except MarbleChainError as error:
            raise _other_key("server", f"another key: {error.message}") from error
    leaf, *between = received.certificate_chain
    if x509.load_der_x509_certificate(leaf).public_key() != wanted.public_key:
        raise CoordinatorRefused("The Coordinator certified another key than this Marble's")
    root_der = root.public_bytes(Encoding.DER)
    identity = verify_marble_chain(
        leaf, intermediates=(*between, received.coordinator_chain[0]), root=root_der, now=wanted.now
    )
    domain = trust_domain(root.public_key())
    spiffe_id = marble_id(domain, identity.marble_type, identity.uuid)
    if spiffe_id != marble_id(identity.trust_domain, wanted.marble_type, wanted.uuid):
        raise CoordinatorRefused(
            "The Coordinator certified somebody else",
            found=spiffe_id,
            wanted=marble_id(domain, wanted.marble_type, wanted.uuid),
        )
    return VerifiedIdentity(
        root=root_der,
        trust_domain=domain,
        spiffe_id=spiffe_id,
        not_after=identity.not_after,
        simulation=identity.simulation,
    )


def _other_key(name: str, found: str) -> CoordinatorRefused:
    return CoordinatorRefused(
        f"The {name} does not have the attested Coordinator's key",
        found=found,
        wanted="the intermediate's, or one that it certified as the Coordinator's",
        remedy="Something between this machine and the Coordinator ends TLS: connect without it",
    )


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
