"""Certificate revocation lists. Source: RFC 5280 sections 5.1 and 6.3."""

from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature

from sealmesh.attestation.certification.algorithms import verify_signature
from sealmesh.attestation.certification.certificate import Certificate, read_extensions
from sealmesh.attestation.certification.der import DerReader, Tag, read_time, read_whole_bits
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import EndorsementFormatError, VerificationError

MAX_CRL_BYTES = 256 * 1024
"""Vendors' lists of intermediate CAs have some entries; this allows for thousands."""

_CRL_SIGN = 6
_KNOWN_EXTENSIONS = frozenset({"2.5.29.20", "2.5.29.35"})  # CRL number, authority key identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A complete, fresh list that its issuer signed."""

    issuer: bytes
    validity: Validity
    serials: frozenset[int]

    def verify_not_revoked(self, certificate: Certificate, *, subject: str) -> None:
        """Accept only a certificate of the same issuer that this list does not name.

        A revocation dated in the future counts as well.

        Raises:
            VerificationError: `revoked:<subject>`; RuntimeError when asked about another issuer's.
        """
        if certificate.issuer != self.issuer:
            raise RuntimeError("asked the revocation list of another issuer")
        if certificate.serial in self.serials:
            raise VerificationError(
                f"the {subject} certificate is revoked",
                code=f"revoked:{subject}",
                found=f"serial number {certificate.serial:x}",
            )


def verify_revocation_list(der: bytes, issuer: Certificate, *, subject: str, now: datetime) -> RevocationList:
    """Verify one complete list of `issuer` at `now`.

    Args:
        der: The list.
        issuer: The CA that must have signed it. Its own chain is not looked at here.
        subject: What the list is called in errors.
        now: Aware UTC.

    Raises:
        EndorsementFormatError: `format:<subject> crl` or `limit:<subject> crl`.
        VerificationError: `crl issuer:<subject>`, `crl sig:<subject>`, `crl scope:<subject>` for partial
            and indirect lists, or `expired:crl`.
    """
    if len(der) > MAX_CRL_BYTES:
        raise EndorsementFormatError(f"the {subject} CRL is too long", code=f"limit:{subject} crl")
    try:
        crl = _parse(der)
    except (ValueError, OverflowError) as error:
        raise EndorsementFormatError(
            f"the {subject} CRL cannot be read: {error}", code=f"format:{subject} crl"
        ) from error
    if crl.issuer != issuer.subject:
        raise VerificationError(f"the {subject} CRL is another CA's", code=f"crl issuer:{subject}")
    try:
        if not issuer.may(_CRL_SIGN):
            raise InvalidSignature
        verify_signature(issuer.key, crl.algorithm, crl.signature, crl.signed)
    except InvalidSignature as error:
        raise VerificationError(
            f"the signature on the {subject} CRL is not its CA's", code=f"crl sig:{subject}"
        ) from error
    if crl.next_update is None or crl.unknown:
        raise VerificationError(
            f"the {subject} CRL is not a complete list with a next update",
            code=f"crl scope:{subject}",
            found=", ".join(crl.unknown) or "no next update",
        )
    validity = Validity(not_before=crl.this_update, not_after=crl.next_update)
    validity.verify_contains(now, subject="crl", name=f"{subject} CRL")
    return RevocationList(issuer=crl.issuer, validity=validity, serials=crl.serials)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    signed: bytes
    algorithm: bytes
    signature: bytes
    issuer: bytes
    this_update: datetime
    next_update: datetime | None
    serials: frozenset[int]
    unknown: tuple[str, ...]


def _parse(der: bytes) -> _Parsed:
    outer = DerReader(der)
    crl = outer.sequence()
    outer.finish()
    signed = crl.element(Tag.SEQUENCE)
    algorithm = crl.element(Tag.SEQUENCE)
    signature = read_whole_bits(crl.content(Tag.BIT_STRING))
    crl.finish()

    fields = DerReader(signed).sequence()
    if fields.integer() != 1:
        raise ValueError("not of version 2")
    if fields.element(Tag.SEQUENCE) != algorithm:
        raise ValueError("two different signature algorithms")
    issuer = fields.element(Tag.SEQUENCE)
    this_update = read_time(fields)
    next_update = read_time(fields) if fields.tag in (Tag.UTC_TIME, Tag.GENERALIZED_TIME) else None
    revoked = fields.optional(Tag.SEQUENCE)
    extensions = fields.optional(0xA0)
    fields.finish()
    return _Parsed(
        signed=signed,
        algorithm=algorithm,
        signature=signature,
        issuer=issuer,
        this_update=this_update,
        next_update=next_update,
        serials=frozenset() if revoked is None else frozenset(_serials(DerReader(revoked))),
        unknown=tuple(
            oid for oid in (read_extensions(extensions) if extensions else {}) if oid not in _KNOWN_EXTENSIONS
        ),
    )


def _serials(entries: DerReader) -> list[int]:
    serials = []
    while entries.tag == Tag.SEQUENCE:
        entry = entries.sequence()
        serials.append(entry.integer())
        read_time(entry)
        extensions = entry.element(Tag.SEQUENCE) if entry.tag == Tag.SEQUENCE else None
        entry.finish()
        if extensions is not None:
            _verify_direct(extensions)
    entries.finish()
    return serials


def _verify_direct(extensions: bytes) -> None:
    """Refuse an entry that speaks of another issuer's certificate (section 5.3.3, always critical)."""
    if any(found.critical for found in read_extensions(extensions).values()):
        raise ValueError("an entry with a critical extension")
