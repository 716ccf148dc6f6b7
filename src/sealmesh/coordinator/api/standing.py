"""What anybody may ask, the first manifest, and what the servers show."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.coordinator.api.recovery import RecoveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReply:
    """The phase by its MarbleRun number, and what a reader must know about this Coordinator."""

    code: int
    message: str
    relaxations: tuple[str, ...] = ()
    simulation: bool = False
    recovery: "RecoveryStatus | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteReply:
    """PEM of intermediate, then root; and Evidence over the root (None where there is none).

    `endorsements` is the Evidence's collateral (JSON), which our own route `GET /api/sealmesh/v1/quote` gives
    too: an operator verifies the Coordinator before it has a manifest, and thus no statement.
    """

    chain_pem: str
    evidence: bytes | None
    endorsements: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestReply:
    """The manifest in force: raw bytes, hex SHA-256 of them, ECDSA signature by the root key over it."""

    raw: bytes
    fingerprint: str
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SetManifestReply:
    """One encrypted share for each recovery key; empty without recovery keys."""

    recovery_secrets: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignQuoteReply:
    """TCB status of a quote that verified, and the root key's signature over both."""

    tcb_status: str
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentIdentity:
    """What the mesh port shows to Marbles that say they know our own enrolment."""

    chain: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerIdentity:
    """TLS material of both servers. `generation` is another number whenever any of it is other material."""

    client_chain: tuple[x509.Certificate, ...]
    client_key: ec.EllipticCurvePrivateKey
    mesh_chain: tuple[x509.Certificate, ...]
    mesh_key: ec.EllipticCurvePrivateKey
    generation: int
    enrolment: EnrolmentIdentity | None = None
