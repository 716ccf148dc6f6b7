"""How Marbles come in, stay in, and what is attested of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sealmesh.attestation.results import Form
from sealmesh.coordinator.api.peer import PeerChain


class Parameters(Protocol):
    """Files, environment and arguments of one Marble (`provisioning.RenderedParameters` is one)."""

    @property
    def files(self) -> Mapping[str, bytes]: ...
    @property
    def env(self) -> Mapping[str, bytes]: ...
    @property
    def argv(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationRequest:
    """MarbleRun's activation. `client_cert` is the DER that this connection showed; Evidence must bind it."""

    evidence: bytes
    csr: bytes
    marble_type: str
    uuid: str
    client_cert: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationReply:
    """What the Marble gets; its private key is among the environment."""

    parameters: Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeRequest:
    """A challenge for the TPM whose EK certificate is in `evidence`, to be answered over `client_cert`."""

    evidence: bytes
    client_cert: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeReply:
    """What the TPM is to take (TPM2_ActivateCredential), and what comes back beside its answer."""

    credential_blob: bytes
    encrypted_secret: bytes
    token: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeAnswer:
    """A challenge's token, and the secret that a TPM gave back. Unchecked."""

    token: bytes
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolRequest:
    """Our own activation: the Marble keeps its key, and asks the Coordinator for Evidence over its nonce."""

    evidence: bytes
    csr: bytes
    marble_type: str
    uuid: str
    client_cert: bytes
    coordinator_nonce: bytes
    answer: ChallengeAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A certificate for a Marble's own key, and what stands or falls with it.

    Attributes:
        certificate_chain: DER, leaf then intermediate.
        coordinator_chain: DER, intermediate then root.
        marble_root: DER.
        access_policy: JSON of `sealmesh.policy`.
        ttls: JSON of MARBLE_TTLS_CONFIG, or None where the type has no TLS tags.
    """

    certificate_chain: PeerChain
    coordinator_chain: PeerChain
    marble_root: bytes
    access_policy: bytes
    ttls: bytes | None
    not_after: datetime
    renew_after: datetime
    trust_domain: str
    simulation: bool
    relaxations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolReply:
    """Parameters, credentials, and the Coordinator's own Evidence over root and nonce."""

    parameters: Parameters
    credentials: Credentials
    coordinator_evidence: bytes
    coordinator_endorsements: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewRequest:
    """A new certificate for the Marble that the shown chain names; type and UUID come from its leaf."""

    evidence: bytes
    csr: bytes
    client_chain: PeerChain
    answer: ChallengeAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRequest:
    """Which admission's result is wanted, and how.

    Attributes:
        marble_type: With `uuid`, whose last admission; both empty: that of the certificate of the connection.
        nonce: To be echoed; None for none.
    """

    form: Form
    marble_type: str = ""
    uuid: str = ""
    nonce: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultReply:
    """A signed Attestation Result."""

    token: bytes
    form: Form
