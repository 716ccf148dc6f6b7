"""Arm CCA: attestation tokens of realms."""

from sealmesh.attestation.cca.claims import CcaClaims
from sealmesh.attestation.cca.token import CcaToken, is_cca_token, parse_cca_token
from sealmesh.attestation.cca.trust_anchor import CcaCollateral, PlatformKey, parse_platform_keys
from sealmesh.attestation.cca.verify import verify_cca

__all__ = [
    "CcaClaims",
    "CcaCollateral",
    "CcaToken",
    "PlatformKey",
    "is_cca_token",
    "parse_cca_token",
    "parse_platform_keys",
    "verify_cca",
]
