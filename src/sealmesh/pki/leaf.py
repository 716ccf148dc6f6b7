"""A Marble's certificate."""

import uuid as uuids
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from sealmesh.pki.authority import Authority
from sealmesh.pki.extensions import LEAF_KEY_USAGE
from sealmesh.pki.identity import marble_id
from sealmesh.pki.issuing import issue
from sealmesh.pki.names import leaf_subject
from sealmesh.pki.profile import CertificateProfile, IpAddress, SubjectNames, Validity


def issue_leaf(
    authority: Authority,
    *,
    public_key: CertificatePublicKeyTypes,
    uuid: uuids.UUID,
    marble_type: str,
    subject: x509.Name,
    dns_names: Sequence[str],
    ip_addresses: Sequence[IpAddress],
    now: datetime,
    lifetime: timedelta,
    serial: int,
    simulation: bool,
    spiffe_id: bool = True,
) -> x509.Certificate:
    """Issue the certificate that names one Marble (COMPAT, section 6, and X509-SVID, section 4).

    What it may be called is decided by the caller; here no name is looked at but the SPIFFE ID, which is
    made from type and UUID. The finished certificate was compared with its profile (`issuing`).

    Args:
        authority: The mesh.
        public_key: The Marble's.
        uuid: The Marble itself; becomes the common name.
        marble_type: Its name in the manifest.
        subject: The certificate request's; common name and organization in it are ignored.
        dns_names: In the order in which they are written.
        ip_addresses: Likewise.
        now: The time of issue.
        lifetime: Cut so that the leaf does not outlive intermediate or Marble root.
        serial: From `new_serial`.
        spiffe_id: False only where MarbleRun's own form without any name is asked for; no peer of ours takes
            such a certificate for a Marble's.
        simulation: Stamp it "simulated TEE".

    Raises:
        IdentityError: The type is too long for a SPIFFE ID.
        CertificateRequestError: The subject cannot be used.
        IssuingError: A name cannot be written, or the authority is not valid at `now`.
    """
    issuer, own_name = authority.marble_issuer, str(uuid)
    validity = Validity.starting(now, lifetime, within=issuer.validity)
    kind = (marble_type, subject, tuple(dns_names), tuple(ip_addresses), simulation, spiffe_id)
    stencil = issuer.stencils.get(kind)
    if stencil is not None:
        return stencil.issue(
            issuer.key, public_key=public_key, serial=serial, validity=validity, own_name=own_name
        )
    profile = CertificateProfile(
        subject=leaf_subject(subject, cn=own_name),
        public_key=public_key,
        serial=serial,
        validity=validity,
        names=SubjectNames(
            dns=tuple(dns_names),
            ips=tuple(ip_addresses),
            uris=(marble_id(authority.trust_domain, marble_type, uuid),) if spiffe_id else (),
        ),
        key_usage=LEAF_KEY_USAGE,
        marble_type=marble_type,
        simulation=simulation,
    )
    certificate = issue(profile, issuer, check_signature=False)
    issuer.stencils.keep(kind, certificate, own_name=own_name, places=1 if spiffe_id else 0)
    return certificate
