"""Verifying a Coordinator over the network: the statement, or before a manifest the bare quote.

The connection proves nothing until the Evidence does: the first context accepts any server and only
records its certificate. After the Evidence was verified that certificate must be the attested root,
so that whoever answered holds the key that lives in the enclave.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation import VerifiedEvidence, needs_endorsements, parse_evidence
from sealmesh.client.address import Address, parse_address
from sealmesh.client.api import AsyncCoordinatorApi, CoordinatorApi
from sealmesh.client.quote import Quote
from sealmesh.client.tls import pinned_context, recording_context
from sealmesh.client.user import User
from sealmesh.errors.client import AnswerError, PeerError
from sealmesh.ledger import RelyingPolicy, VerifiedApplication, judge_coordinator, verify_statement
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
    check = _Check(address, policy, now, nonce)
    with CoordinatorApi(check.address, check.context) as api:
        document = api.statement(check.nonce)
    return check.statement(document)


async def verify_async(
    address: str,
    *,
    policy: RelyingPolicy,
    now: datetime | None = None,
    nonce: bytes | None = None,
) -> VerifiedApplication:
    """Do what `verify` does without blocking."""
    check = _Check(address, policy, now, nonce)
    async with AsyncCoordinatorApi(check.address, check.context) as api:
        document = await api.statement(check.nonce)
    return check.statement(document)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCoordinator:
    """A Coordinator that was verified; which manifest it has, if any, is not part of it.

    Attributes:
        root: The attested root certificate, which its client API shows.
        chain_pem: Intermediate and root, as it sent them.
        evidence: The verified Evidence.
        fresh: It was made for this check's nonce. A Coordinator with API v1 alone binds none: its Evidence
            may be older, and only the connection shows that it is still there.
    """

    address: Address
    root: x509.Certificate
    chain_pem: str
    evidence: VerifiedEvidence
    fresh: bool = True

    def connect(self, user: User | None = None) -> CoordinatorApi:
        """Return its API over a connection to the one server that shows the attested root."""
        return CoordinatorApi(self.address, pinned_context(self.root), user)

    def connect_async(self, user: User | None = None) -> AsyncCoordinatorApi:
        """Return the same for asyncio."""
        return AsyncCoordinatorApi(self.address, pinned_context(self.root), user)


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
        nonce: What it must bind; 32 random bytes by default. A Coordinator with API v1 alone binds none: it
            is accepted where none is given here, and the result is not `fresh`.
        endorsements: Collateral for its platform, where the Coordinator gives none itself.

    Raises:
        SealmeshError: Anything does not hold.
    """
    check = _Check(address, policy, now, nonce)
    with CoordinatorApi(check.address, check.context) as api:
        quote = api.quote(check.nonce)
    return check.quote(quote, endorsements)


async def verify_coordinator_async(
    address: str,
    *,
    policy: RelyingPolicy,
    now: datetime | None = None,
    nonce: bytes | None = None,
    endorsements: bytes | None = None,
) -> VerifiedCoordinator:
    """Do what `verify_coordinator` does without blocking."""
    check = _Check(address, policy, now, nonce)
    async with AsyncCoordinatorApi(check.address, check.context) as api:
        quote = await api.quote(check.nonce)
    return check.quote(quote, endorsements)


class _Check:
    """One verification: a fresh nonce, the certificate that was shown, and what both must agree with."""

    def __init__(
        self, address: str, policy: RelyingPolicy, now: datetime | None, nonce: bytes | None
    ) -> None:
        self.address = parse_address(address)
        self.nonce = secrets.token_bytes(NONCE_BYTES) if nonce is None else nonce
        self._nonce_demanded = nonce is not None
        self._policy = policy
        self._now = now
        self._shown: list[bytes] = []
        self.context = recording_context(self._shown.append)

    @property
    def _time(self) -> datetime:
        return self._now or datetime.now(UTC)

    def statement(self, document: bytes) -> VerifiedApplication:
        application = verify_statement(document, self._policy, now=self._time, nonce=self.nonce)
        self._check_server(application.root)
        return application

    def quote(self, quote: Quote, endorsements: bytes | None) -> VerifiedCoordinator:
        if quote.evidence is None:
            raise _unattested("Evidence")
        collateral = endorsements or quote.endorsements or b""
        if not collateral and needs_endorsements(parse_evidence(quote.evidence)):
            raise _unattested("Endorsements")
        if quote.nonce != self.nonce and self._nonce_demanded:
            raise AnswerError(
                "the Coordinator binds no nonce: it has MarbleRun's first API alone",
                code="coordinator-nonce",
                remedy="Leave the nonce out to accept Evidence that may be older, or update the Coordinator.",
            )
        root = _root_of(quote)
        evidence = judge_coordinator(
            quote.evidence,
            collateral,
            self._policy,
            report_data=quote_report_data(root, quote.nonce),
            now=self._time,
        )
        self._check_server(root)
        return VerifiedCoordinator(
            address=self.address,
            root=root,
            chain_pem=quote.chain_pem,
            evidence=evidence,
            fresh=quote.nonce == self.nonce,
        )

    def _check_server(self, root: x509.Certificate) -> None:
        wanted = root.public_bytes(Encoding.DER)
        if not self._shown or any(der != wanted for der in self._shown):
            raise PeerError(
                "the server that answered is not the attested Coordinator",
                found="another TLS certificate",
                wanted="the attested root certificate",
                remedy="Something between you and the Coordinator ends TLS: connect without it.",
            )


def quote_report_data(root: x509.Certificate, nonce: bytes) -> bytes:
    """Return what a quote must carry: SHA-256(root DER || nonce), padded to 64 bytes (COMPAT section 4)."""
    digest = hashlib.sha256(root.public_bytes(Encoding.DER) + nonce).digest()
    return digest.ljust(REPORT_DATA_BYTES, b"\x00")


def _unattested(missing: str) -> AnswerError:
    return AnswerError(
        f"the Coordinator gives no {missing}",
        code="coordinator-unattested",
        remedy="A Coordinator without Evidence cannot be verified; start it on a TEE or simulated.",
    )


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
