"""Signed TCB info with any content: what a vendor could have signed."""

from fuzz.signed_documents import signed_document
from sealmesh.attestation.dcap.tcb_info import parse_tcb_info

TARGET = signed_document("tcb_info", parse_tcb_info)
