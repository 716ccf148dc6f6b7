"""Let a TPM answer the Coordinator's challenge, where the Evidence rests on an EK certificate.

The Coordinator is not verified yet, and need not be: the secret is of its own making, and good for nothing
but to be sent back over a connection with this client certificate.
"""

from sealmesh.adapters.attester.credential_holder import CredentialHolder
from sealmesh.adapters.attester.device import EvidenceDevice
from sealmesh.attestation import parse_evidence
from sealmesh.attestation.tpm import Credential
from sealmesh.marble.config import CoordinatorAddress
from sealmesh.marble.mesh_port import ClientIdentity, call
from sealmesh.wire.enrolment_pb2 import ChallengeAnswer, ChallengeRequest, ChallengeResponse
from sealmesh.wire.methods import CHALLENGE


def answer_challenge(
    address: CoordinatorAddress, identity: ClientIdentity, attester: EvidenceDevice | None, evidence: bytes
) -> ChallengeAnswer | None:
    """Return the TPM's answer for `evidence`, shown with `identity`; None where none is due.

    Raises:
        CoordinatorUnavailable, ActivationRefused, CoordinatorRefused: As for `call`.
        PlatformError: The TPM does not answer.
    """
    if not isinstance(attester, CredentialHolder) or parse_evidence(evidence).endorsed_tpm is None:
        return None
    request = ChallengeRequest(evidence=evidence)
    posed = call(address, identity, CHALLENGE, request, ChallengeResponse).reply
    if not posed.token:
        return None
    credential = Credential(blob=posed.credential_blob, encrypted_seed=posed.encrypted_secret)
    return ChallengeAnswer(token=posed.token, secret=attester.activate_credential(credential))
