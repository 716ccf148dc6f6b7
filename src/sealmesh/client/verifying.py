"""Verifying a Coordinator over the network: the statement, or before a manifest the bare quote.

The connection proves nothing until the Evidence does: the first context accepts any server and only
records its certificate. After the Evidence was verified that certificate must be the attested root,
so that whoever answered holds the key that lives in the enclave.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation import VerifiedEvidence, appraise, parse_collateral, parse_evidence
from sealmesh.attestation import verify as verify_evidence
from sealmesh.client.address import Address, parse_address
from sealmesh.client.rest import CoordinatorApi, Quote
from sealmesh.client.tls import pinned_context, recording_context
from sealmesh.errors.client import AnswerError, PeerError
from sealmesh.ledger import RelyingPolicy, VerifiedApplication, verify_statement
from sealmesh.pki.reading import UNREADABLE

NONCE_BYTES = 32
REPORT_DATA_BYTES = 64


def verify(
    address: str,
    *,
    policy: RelyingPolicy,
    now: datetime | None = None,
    nonce: bytes | None = None,
) -> VerifiedApplication:
    """Fetch a statement made for a fresh nonce and verify the whole application.

    Args:
        address: The Coordinator's client API, HOST:PORT.
        policy: What the Coordinator must be; see `sealmesh.ledger.parse_policy`.
        now: The time to verify at; the present by default.
        nonce: What the Coordinator must bind; 32 random bytes by default.

    Raises:
        SealmeshError: Anything does not hold; no other exception family is raised for the
            far end's faults.
    """
    sent = secrets.token_bytes(NONCE_BYTES) if nonce is None else nonce
    shown: list[bytes] = []
    with CoordinatorApi(parse_address(address), recording_context(shown.append)) as api:
        document = api.statement(sent)
    application = verify_statement(document, policy, now=now or datetime.now(UTC), nonce=sent)
    _check_server(shown, application.root)
    return application


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCoordinator:
    """A Coordinator that was verified; which manifest it has, if any, is not part of it.

    Attributes:
        root: The attested root certificate, which its client API shows.
        chain_pem: Intermediate and root, as it sent them.
        evidence: The verified Evidence.
    """

    address: Address
    root: x509.Certificate
    chain_pem: str
    evidence: VerifiedEvidence

    @contextmanager
    def connect(self) -> Iterator[CoordinatorApi]:
        """Give its API over a connection to the one server that shows the attested root."""
        with CoordinatorApi(self.address, pinned_context(self.root)) as api:
            yield api


def verify_coordinator(
    address: str,
    *,
    policy: RelyingPolicy,
    now: datetime | None = None,
    nonce: bytes | None = None,
    endorsements: bytes | None = None,
) -> VerifiedCoordinator:
    """Verify the software of a Coordinator, also before it has a manifest, by its quote.

    Works with MarbleRun's Coordinators too where `endorsements` are given.

    Args:
        address: The Coordinator's client API, HOST:PORT.
        policy: What it must be; the policy's manifest is not looked at.
        now: The time to verify at; the present by default.
        nonce: What it must bind; 32 random bytes by default.
        endorsements: Collateral for its platform, where the Coordinator gives none itself.

    Raises:
        SealmeshError: Anything does not hold.
    """
    sent = secrets.token_bytes(NONCE_BYTES) if nonce is None else nonce
    shown: list[bytes] = []
    where = parse_address(address)
    with CoordinatorApi(where, recording_context(shown.append)) as api:
        quote = api.quote(sent)
    collateral = endorsements or quote.endorsements
    if quote.evidence is None or collateral is None:
        missing = "Evidence" if quote.evidence is None else "Endorsements"
        raise AnswerError(
            f"the Coordinator gives no {missing}",
            code="coordinator-unattested",
            remedy="A Coordinator without Evidence cannot be verified; start it on a TEE or simulated.",
        )
    root = _root_of(quote)
    evidence = verify_evidence(
        parse_evidence(quote.evidence),
        parse_collateral(collateral),
        roots=policy.trust_roots,
        now=now or datetime.now(UTC),
    )
    appraise(evidence, policy.coordinator, report_data=quote_report_data(root, sent))
    _check_server(shown, root)
    return VerifiedCoordinator(address=where, root=root, chain_pem=quote.chain_pem, evidence=evidence)


def quote_report_data(root: x509.Certificate, nonce: bytes) -> bytes:
    """Return what a quote must carry: SHA-256(root DER || nonce), padded to 64 bytes (COMPAT section 4)."""
    digest = hashlib.sha256(root.public_bytes(Encoding.DER) + nonce).digest()
    return digest.ljust(REPORT_DATA_BYTES, b"\x00")


def _root_of(quote: Quote) -> x509.Certificate:
    if len(quote.chain) != 2:
        raise AnswerError(
            "the Coordinator's chain is not intermediate and root", found=f"{len(quote.chain)} certificates"
        )
    intermediate, root = quote.chain
    try:
        intermediate.verify_directly_issued_by(root)
    except (InvalidSignature, *UNREADABLE) as error:
        raise AnswerError("the Coordinator's intermediate is not issued by its root") from error
    return root


def _check_server(shown: list[bytes], root: x509.Certificate) -> None:
    if not shown or any(der != root.public_bytes(Encoding.DER) for der in shown):
        raise PeerError(
            "the server that answered is not the attested Coordinator",
            found="another TLS certificate",
            wanted="the attested root certificate",
            remedy="Something between you and the Coordinator ends TLS: connect without it.",
        )
