"""Intel SGX: DCAP quotes of enclaves."""

from sealmesh.attestation.sgx.claims import EnclaveClaims
from sealmesh.attestation.sgx.parse import SgxQuote, parse_sgx_quote, strip_open_enclave_header
from sealmesh.attestation.sgx.verify import verify_sgx

__all__ = ["EnclaveClaims", "SgxQuote", "parse_sgx_quote", "strip_open_enclave_header", "verify_sgx"]
