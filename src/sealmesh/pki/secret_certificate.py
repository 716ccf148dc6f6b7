"""The certificates that a manifest defines as secrets (COMPAT, section 9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from sealmesh.errors.pki import IssuingError
from sealmesh.pki.authority import Authority
from sealmesh.pki.issuing import issue
from sealmesh.pki.names import Subject
from sealmesh.pki.profile import CLOCK_SKEW, CertificateProfile, SubjectNames, Validity

#: By the numbers of Go's `x509.ExtKeyUsage`, which a manifest uses.
_EXTENDED_KEY_USAGES: Final = (
    "2.5.29.37.0",
    "1.3.6.1.5.5.7.3.1",
    "1.3.6.1.5.5.7.3.2",
    "1.3.6.1.5.5.7.3.3",
    "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.5.5.7.3.5",
    "1.3.6.1.5.5.7.3.6",
    "1.3.6.1.5.5.7.3.7",
    "1.3.6.1.5.5.7.3.8",
    "1.3.6.1.5.5.7.3.9",
    "1.3.6.1.4.1.311.10.3.3",
    "2.16.840.1.113730.4.1",
    "1.3.6.1.4.1.311.2.1.22",
    "1.3.6.1.4.1.311.61.1.1",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretCertificateProfile:
    """What the manifest says about one certificate, with its defaults already filled in.

    Attributes:
        key_usage: Go's bit set: 1 digitalSignature, 2 contentCommitment, 4 keyEncipherment,
            8 dataEncipherment, 16 keyAgreement, 32 keyCertSign, 64 cRLSign, 128 encipherOnly,
            256 decipherOnly. Higher bits are ignored, 0 leaves the extension's bits empty.
        extended_key_usage: Go's numbers: 0 any, 1 server, 2 client, 3 code signing, 4 e-mail, to 13.
        path_length: Only looked at with `is_ca`; None for no limit.
        not_after: The end; the begin is a little before the time of issue, also where the end is past.
    """

    subject: Subject
    names: SubjectNames
    not_after: datetime
    key_usage: int = 1 | 32
    extended_key_usage: tuple[int, ...] = (1, 2)
    is_ca: bool = False
    path_length: int | None = None


def issue_secret_certificate(
    authority: Authority,
    profile: SecretCertificateProfile,
    *,
    public_key: CertificatePublicKeyTypes,
    now: datetime,
    serial: int,
    simulation: bool = False,
) -> x509.Certificate:
    """Issue a certificate as the manifest's owner defined it, under the intermediate's name and key.

    Its life is the owner's: it may be longer than the intermediate's, or over already (`past_end`). It
    carries no Marble type, and no SPIFFE ID of this mesh is allowed in it, so it never passes for a
    Marble (`verify_marble_chain` asks for both). With `is_ca` its holder can sign certificates that chain
    to the Marble root: `verify_marble_chain` refuses those, since a CA of the mesh names the trust
    domain, and a name constraint makes OpenSSL and Go refuse them too when they name somebody in the
    trust domain. The constraint is not critical, other than RFC 5280 4.2.1.10 asks, because the contract
    fixes the critical extensions; both enforce it anyway.

    Raises:
        IssuingError: The profile cannot be written, or claims this mesh's SPIFFE IDs.
    """
    begin = now.astimezone(UTC).replace(microsecond=0) - CLOCK_SKEW
    end = profile.not_after.astimezone(UTC).replace(microsecond=0)
    _check_no_identity_of(authority.trust_domain, profile.names.uris)
    issuer = authority.marble_issuer
    kind = (profile.subject, profile.names, profile.key_usage, profile.extended_key_usage, simulation)
    stencil = None if profile.is_ca or end < begin else issuer.stencils.get(kind)
    if stencil is not None:
        return stencil.issue(
            issuer.key,
            public_key=public_key,
            serial=serial,
            validity=Validity(not_before=begin, not_after=end),
        )
    asked = CertificateProfile(
        subject=_name(profile.subject),
        public_key=public_key,
        serial=serial,
        validity=Validity(not_before=begin, not_after=end),
        names=profile.names,
        key_usage=_key_usage(profile.key_usage),
        extended_key_usage=_extended(profile.extended_key_usage),
        ca=profile.is_ca,
        path_length=profile.path_length if profile.is_ca else None,
        simulation=simulation,
        forbidden_domain=authority.trust_domain if profile.is_ca else None,
        bounded_by_issuer=False,
    )
    certificate = issue(asked, issuer, check_signature=False)
    if not profile.is_ca and begin <= end:
        issuer.stencils.keep(kind, certificate)
    return certificate


def _check_no_identity_of(domain: str, uris: Sequence[str]) -> None:
    for uri in uris:
        if domain in uri.lower():
            raise IssuingError(
                "A certificate of the manifest may not carry an identity of this mesh",
                found=uri,
                remedy="Remove the URI, the Coordinator alone gives these names",
            )


@lru_cache(maxsize=64)
def _key_usage(bits: int) -> x509.KeyUsage:
    try:
        return x509.KeyUsage(*(bool(bits >> position & 1) for position in range(9)))
    except ValueError as error:
        raise IssuingError("The key usage cannot be written", found=bits, wanted=str(error)) from error


@lru_cache(maxsize=64)
def _extended(numbers: tuple[int, ...]) -> tuple[x509.ObjectIdentifier, ...]:
    for number in numbers:
        if not 0 <= number < len(_EXTENDED_KEY_USAGES):
            raise IssuingError(
                "Unknown extended key usage", found=number, wanted=f"0 to {len(_EXTENDED_KEY_USAGES) - 1}"
            )
    return tuple(x509.ObjectIdentifier(_EXTENDED_KEY_USAGES[number]) for number in dict.fromkeys(numbers))


@lru_cache(maxsize=256)
def _name(subject: Subject) -> x509.Name:
    return subject.to_name()
