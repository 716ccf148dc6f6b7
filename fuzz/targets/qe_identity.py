"""The quoting enclave's signed identity with any content."""

from fuzz.signed_documents import signed_document
from sealmesh.attestation.dcap.qe_identity import parse_qe_identity

TARGET = signed_document("qe_identity", parse_qe_identity)
