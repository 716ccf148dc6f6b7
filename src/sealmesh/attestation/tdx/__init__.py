"""Intel TDX: DCAP quotes of trust domains (TDs)."""

from sealmesh.attestation.tdx.claims import TdClaims
from sealmesh.attestation.tdx.parse import TdQuote, parse_td_quote
from sealmesh.attestation.tdx.verify import td_claims, verify_tdx

__all__ = ["TdClaims", "TdQuote", "parse_td_quote", "td_claims", "verify_tdx"]
