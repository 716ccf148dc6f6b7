"""TPM 2.0: quotes over the platform configuration registers (PCRs) of a measured machine."""

from sealmesh.attestation.tpm.algorithms import Bank, Scheme
from sealmesh.attestation.tpm.attestation_key import ActivatedKey, EndorsedKey, GivenKeys
from sealmesh.attestation.tpm.claims import TpmClaims
from sealmesh.attestation.tpm.credential import Credential, make_credential
from sealmesh.attestation.tpm.endorsement_key import verify_endorsement_key
from sealmesh.attestation.tpm.event_log import Event, EventLog, parse_event_log
from sealmesh.attestation.tpm.evidence import (
    TpmEvidence,
    encode_tpm_evidence,
    is_tpm_evidence,
    parse_tpm_evidence,
)
from sealmesh.attestation.tpm.public_area import PublicArea, parse_public_area
from sealmesh.attestation.tpm.verify import TpmCollateral, verify_tpm

__all__ = [
    "ActivatedKey",
    "Bank",
    "Credential",
    "EndorsedKey",
    "Event",
    "EventLog",
    "GivenKeys",
    "PublicArea",
    "Scheme",
    "TpmClaims",
    "TpmCollateral",
    "TpmEvidence",
    "encode_tpm_evidence",
    "is_tpm_evidence",
    "make_credential",
    "parse_event_log",
    "parse_public_area",
    "parse_tpm_evidence",
    "verify_endorsement_key",
    "verify_tpm",
]
