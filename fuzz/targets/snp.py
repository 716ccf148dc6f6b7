"""SEV-SNP reports and their certificate table."""

from fuzz.evidence import evidence_target

TARGET = evidence_target(
    "snp", words=(b"\x02\0\0\0", b"\x05\0\0\0", bytes.fromhex("63da758de6644564adc5f4b93be8accd"))
)
