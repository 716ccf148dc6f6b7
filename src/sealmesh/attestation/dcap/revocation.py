"""Certificate revocation lists: read, verified, asked. Source: RFC 5280 sections 5 and 6.3."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from sealmesh.attestation.dcap.certificates import MALFORMED, Certificate, check_whole_signature
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import EndorsementFormatError, VerificationError

MAX_CRL_BYTES = 1024 * 1024
"""About 25,000 entries; Intel's longest list has some hundreds."""

_KNOWN_EXTENSIONS = {ExtensionOID.CRL_NUMBER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER}


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A verified list: its issuer signed it and it is fresh."""

    issuer: x509.Name
    validity: Validity
    _list: x509.CertificateRevocationList

    def verify_not_revoked(self, certificates: Iterable[Certificate]) -> None:
        """Accept only certificates that this list does not name.

        A revocation dated in the future counts as well: whoever signs it does not trust the key.

        Raises:
            VerificationError: `revoked:<role>`; RuntimeError when asked about another issuer's.
        """
        for certificate in certificates:
            if certificate.issuer != self.issuer:
                raise RuntimeError("asked the revocation list of another issuer")
            if self._names(certificate.serial):
                raise VerificationError(
                    f"the {certificate.role} certificate is revoked",
                    code=f"revoked:{certificate.role}",
                    found=f"serial number {certificate.serial:x}",
                )

    def _names(self, serial: int) -> bool:
        try:
            return self._list.get_revoked_certificate_by_serial_number(serial) is not None
        except MALFORMED as error:
            raise EndorsementFormatError(
                f"an entry of a CRL cannot be read: {error}", code="format:crl"
            ) from error


def verify_revocation_list(der: bytes, issuer: Certificate, *, subject: str, now: datetime) -> RevocationList:
    """Verify one complete list of `issuer` at `now`.

    Args:
        der: The list.
        issuer: The CA that must have signed it. Its own chain is not looked at here.
        subject: `root` or `pck`, for the error codes.
        now: Aware UTC; the list must be fresh at this time.

    Raises:
        EndorsementFormatError: The list cannot be read or is too long.
        VerificationError: `crl sig:<subject>`, `crl issuer:<subject>`, `crl scope:<subject>` for
            partial and indirect lists, or `expired:crl`.
    """
    if len(der) > MAX_CRL_BYTES:
        raise EndorsementFormatError(f"the {subject} CRL is too long", code=f"limit:{subject} crl")
    try:
        crl = x509.load_der_x509_crl(der)
        check_whole_signature(der, crl.signature)
        signed = crl.is_signature_valid(issuer.key)
        last_update, next_update = crl.last_update_utc, crl.next_update_utc
        issuer_name = crl.issuer
        partial = [e.oid.dotted_string for e in crl.extensions if e.oid not in _KNOWN_EXTENSIONS]
    except MALFORMED as error:
        raise EndorsementFormatError(
            f"the {subject} CRL cannot be read: {error}", code=f"format:{subject} crl"
        ) from error
    if not signed:
        raise VerificationError(
            f"the signature on the {subject} CRL is not its CA's", code=f"crl sig:{subject}"
        )
    if issuer_name != issuer.subject:
        raise VerificationError(
            f"the {subject} CRL is another CA's",
            code=f"crl issuer:{subject}",
            found=issuer_name.rfc4514_string(),
            wanted=issuer.subject.rfc4514_string(),
        )
    if partial or next_update is None:
        raise VerificationError(
            f"the {subject} CRL is not a complete list with a next update",
            code=f"crl scope:{subject}",
            found=", ".join(partial) or "no next update",
        )
    validity = Validity(not_before=last_update, not_after=next_update)
    validity.verify_contains(now, subject="crl", name=f"{subject} CRL")
    return RevocationList(issuer=issuer_name, validity=validity, _list=crl)
