"""Azure Evidence over TDX."""

from fuzz.evidence import evidence_target

TARGET = evidence_target("azure-tdx", words=(b'"hcl_report":', b'"tpm_quote":', b'"td_quote":'))
