"""The Coordinator's own certificate for the connections of Marbles that enrol in our way.

MarbleRun's Marbles are shown the Marble root itself, on P-384 (COMPAT, section 2). Ours say that they know
better, and then a handshake costs the Coordinator a signature on P-256, a seventh. The certificate names the
mesh and no Marble, and `verify_coordinator_leaf` takes no other for it.
"""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealmesh.pki.authority import Authority
from sealmesh.pki.extensions import LEAF_KEY_USAGE
from sealmesh.pki.identity import domain_id
from sealmesh.pki.issuing import issue
from sealmesh.pki.names import SEALMESH_NAMES, common_name
from sealmesh.pki.profile import CertificateProfile, SubjectNames, Validity


def issue_server_leaf(
    authority: Authority,
    *,
    public_key: CertificatePublicKeyTypes,
    now: datetime,
    lifetime: timedelta,
    serial: int,
    simulation: bool,
) -> x509.Certificate:
    """Issue a certificate with which a Coordinator shows that it is the one of this mesh.

    Args:
        authority: The mesh.
        public_key: Of a key that this process alone has.
        now: The time of issue.
        lifetime: Cut so that it does not outlive the intermediate.
        serial: From `new_serial`.
        simulation: Stamp it "simulated TEE", as everything of a mesh that accepts simulated Evidence is.

    Raises:
        IssuingError: The authority is not valid at `now`.
    """
    issuer = authority.marble_issuer
    profile = CertificateProfile(
        subject=common_name(SEALMESH_NAMES.root),
        public_key=public_key,
        serial=serial,
        validity=Validity.starting(now, lifetime, within=issuer.validity),
        names=SubjectNames(uris=(domain_id(authority.trust_domain),)),
        key_usage=LEAF_KEY_USAGE,
        extended_key_usage=(ExtendedKeyUsageOID.SERVER_AUTH,),
        simulation=simulation or authority.simulation,
    )
    return issue(profile, issuer, check_signature=True)
