"""The certificate chain, and Evidence that binds it to the Coordinator's TEE."""

from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.coordinator.admission import report_data
from sealmesh.coordinator.api import QuoteReply
from sealmesh.coordinator.own_evidence import MadeEvidence
from sealmesh.coordinator.state import State


def root_report_data(state: State, nonce: bytes = b"") -> bytes:
    """Return what the Coordinator's Evidence binds: SHA-256(root DER || nonce), padded (COMPAT section 4)."""
    return report_data(state.authority.root_der, nonce)


def quote(state: State, evidence: MadeEvidence) -> QuoteReply:
    """Return intermediate and root as PEM, with Evidence that was made for this root."""
    chain = (state.authority.intermediate_cert, state.authority.root_cert)
    return QuoteReply(
        chain_pem="".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in chain),
        evidence=evidence.raw or None,
        endorsements=evidence.endorsements or None,
    )
