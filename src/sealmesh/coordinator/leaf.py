"""The certificate of one admitted Marble."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from sealmesh.coordinator.candidate import Candidate
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.state import State
from sealmesh.errors.coordinator import BadCertificateRequest
from sealmesh.errors.pki import CertificateRequestError, IssuingError
from sealmesh.manifest import Marble
from sealmesh.pki import issue_leaf

#: A certificate is renewed after this part of its life, so that two attempts may fail.
_RENEW_AFTER = 0.5


def marble_certificate(
    candidate: Candidate,
    state: State,
    context: Context,
    *,
    key: CertificatePublicKeyTypes,
    default_lifetime: timedelta,
    spiffe_id: bool = True,
) -> x509.Certificate:
    """Issue the certificate of `candidate` over `key`.

    Raises:
        BadCertificateRequest: The request's subject or names cannot stand in a certificate.
    """
    try:
        return issue_leaf(
            state.authority,
            public_key=key,
            uuid=candidate.uuid,
            marble_type=candidate.marble_type,
            subject=candidate.request.subject,
            dns_names=candidate.names.dns,
            ip_addresses=candidate.names.ips,
            now=context.now,
            lifetime=_lifetime(candidate.marble, default_lifetime),
            serial=context.serial(),
            simulation=candidate.simulation or context.settings.simulation,
            spiffe_id=spiffe_id,
        )
    except (CertificateRequestError, IssuingError) as error:
        raise BadCertificateRequest(
            error.message, code=error.code, found=error.found, wanted=error.wanted, remedy=error.remedy
        ) from error


def renew_after(certificate: x509.Certificate, now: datetime) -> datetime:
    """Return when a holder of `certificate` should ask for the next one."""
    return now + (certificate.not_valid_after_utc - now) * _RENEW_AFTER


def _lifetime(marble: Marble, default: timedelta) -> timedelta:
    settings = marble.certificate
    return default if settings is None or settings.lifetime is None else settings.lifetime
