"""Signed TCB info for TDX with any content."""

from fuzz.signed_documents import signed_document
from sealmesh.attestation.dcap.tcb_info import parse_tcb_info

TARGET = signed_document("tcb_info", parse_tcb_info, tdx=True)
