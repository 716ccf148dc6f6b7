"""Azure Evidence over SNP, with its vTPM's quote."""

from fuzz.evidence import evidence_target

TARGET = evidence_target("azure", words=(b'"hcl_report":', b'"tpm_quote":', b'"vcek":', b"SENMQQ", b"HCLA"))
