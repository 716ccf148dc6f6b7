"""Names, certificate profiles, issuing and checking what was issued (RFC 5280, SPIFFE)."""

from sealmesh.pki.authority import Authority
from sealmesh.pki.ca import extend_authority, issue_authority, new_serial, renew_intermediate
from sealmesh.pki.chain import (
    MarbleIdentity,
    verify_authority_chain,
    verify_coordinator_leaf,
    verify_marble_chain,
)
from sealmesh.pki.extensions import MARBLE_TYPE_OID, SIMULATION_OID, SIMULATION_TEXT
from sealmesh.pki.identity import (
    MarbleId,
    domain_id,
    marble_id,
    parse_domain_id,
    parse_marble_id,
    parse_uuid,
    trust_domain,
)
from sealmesh.pki.issuing import Issuer, check_issued, issue
from sealmesh.pki.keys import KeyFactory
from sealmesh.pki.leaf import issue_leaf
from sealmesh.pki.names import MARBLERUN_NAMES, SEALMESH_NAMES, CaNames, Subject
from sealmesh.pki.profile import CertificateProfile, SubjectNames, Validity
from sealmesh.pki.reading import subject_public_key
from sealmesh.pki.request import CertificateRequest, parse_csr
from sealmesh.pki.secret_certificate import SecretCertificateProfile, issue_secret_certificate
from sealmesh.pki.server_leaf import issue_server_leaf

__all__ = [
    "MARBLERUN_NAMES",
    "MARBLE_TYPE_OID",
    "SEALMESH_NAMES",
    "SIMULATION_OID",
    "SIMULATION_TEXT",
    "Authority",
    "CaNames",
    "CertificateProfile",
    "CertificateRequest",
    "Issuer",
    "KeyFactory",
    "MarbleId",
    "MarbleIdentity",
    "SecretCertificateProfile",
    "Subject",
    "SubjectNames",
    "Validity",
    "check_issued",
    "domain_id",
    "extend_authority",
    "issue",
    "issue_authority",
    "issue_leaf",
    "issue_secret_certificate",
    "issue_server_leaf",
    "marble_id",
    "new_serial",
    "parse_csr",
    "parse_domain_id",
    "parse_marble_id",
    "parse_uuid",
    "renew_intermediate",
    "subject_public_key",
    "trust_domain",
    "verify_authority_chain",
    "verify_coordinator_leaf",
    "verify_marble_chain",
]
