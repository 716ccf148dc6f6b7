"""AMD SEV-SNP: attestation reports of confidential virtual machines."""

from sealmesh.attestation.snp.claims import SnpClaims
from sealmesh.attestation.snp.endorsement import SnpCollateral
from sealmesh.attestation.snp.report import SnpReport, is_snp_report, parse_snp_report
from sealmesh.attestation.snp.tcb import SnpTcb
from sealmesh.attestation.snp.verify import verify_snp

__all__ = [
    "SnpClaims",
    "SnpCollateral",
    "SnpReport",
    "SnpTcb",
    "is_snp_report",
    "parse_snp_report",
    "verify_snp",
]
