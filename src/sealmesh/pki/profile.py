"""What a certificate shall say: the template that is signed, and against which the result is checked."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from sealmesh.errors.pki import IssuingError
from sealmesh.pki.extensions import (
    SERVER_AND_CLIENT,
    marble_type_extension,
    simulation_extension,
)

IpAddress = IPv4Address | IPv6Address

#: Certificates begin this much before their time of issue, so that a peer whose clock is a little
#: behind does not refuse what was made a moment ago. Never before the issuer's own begin.
CLOCK_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectNames:
    """The subject alternative names, in the order in which they are written."""

    dns: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    ips: tuple[IpAddress, ...] = ()
    uris: tuple[str, ...] = ()

    def general_names(self) -> list[x509.GeneralName]:
        """Return the names as GeneralNames (RFC 5280, 4.2.1.6): DNS, e-mail, IP, URI."""
        return [
            *map(x509.DNSName, self.dns),
            *map(x509.RFC822Name, self.emails),
            *map(x509.IPAddress, self.ips),
            *map(x509.UniformResourceIdentifier, self.uris),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """From when to when, both inclusive, whole seconds, UTC."""

    not_before: datetime
    not_after: datetime

    @classmethod
    def starting(cls, now: datetime, lifetime: timedelta, *, within: "Validity | None" = None) -> "Validity":
        """Return the validity of what is issued at `now` for `lifetime`, cut to that of its issuer.

        Raises:
            IssuingError: Nothing is left: the issuer is not valid now, or the lifetime is not positive.
        """
        now = now.astimezone(UTC).replace(microsecond=0)
        begin, end = now - CLOCK_SKEW, now + lifetime
        if within is not None:
            begin, end = max(begin, within.not_before), min(end, within.not_after)
        if not begin <= now < end:
            raise IssuingError(
                "Nothing can be issued that is valid now",
                found=f"{begin:%Y-%m-%dT%H:%M:%SZ} to {end:%Y-%m-%dT%H:%M:%SZ}",
                wanted=f"a span around {now:%Y-%m-%dT%H:%M:%SZ}",
                remedy="Check the clock; renew the mesh's authority if it has expired",
            )
        return cls(not_before=begin, not_after=end)

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "Validity":
        """Return the validity that `certificate` states."""
        return cls(not_before=certificate.not_valid_before_utc, not_after=certificate.not_valid_after_utc)

    def intersect(self, other: "Validity") -> "Validity":
        """Return the span in which both hold."""
        return Validity(
            not_before=max(self.not_before, other.not_before), not_after=min(self.not_after, other.not_after)
        )

    def covers(self, now: datetime) -> bool:
        """Tell whether `now` lies within."""
        return self.not_before <= now <= self.not_after


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProfile:
    """Everything a certificate shall say, except who issues it.

    Attributes:
        subject: The distinguished name.
        path_length: Only for a CA; None means no limit is stated.
        marble_type: Written raw into MarbleRun's extension; None for what is not a Marble's.
        simulation: Whether the certificate is stamped "simulated TEE".
        forbidden_domain: The SPIFFE trust domain below which this CA may not name anybody.
        bounded_by_issuer: Whether the validity must lie within the issuer's. Only the certificates that
            the manifest defines as secrets may not: their dates are the owner's.
    """

    subject: x509.Name
    public_key: CertificatePublicKeyTypes
    serial: int
    validity: Validity
    names: SubjectNames
    key_usage: x509.KeyUsage
    extended_key_usage: tuple[x509.ObjectIdentifier, ...] = SERVER_AND_CLIENT
    ca: bool = False
    path_length: int | None = None
    marble_type: str | None = None
    simulation: bool = False
    forbidden_domain: str | None = None
    bounded_by_issuer: bool = True

    def extensions(
        self, authority_key_identifier: x509.AuthorityKeyIdentifier | None
    ) -> list[tuple[x509.ExtensionType, bool]]:
        """Return the extensions in the order in which they are written, each with its criticality."""
        found: list[tuple[x509.ExtensionType, bool]] = [(self.key_usage, True)]
        if self.extended_key_usage:
            found.append((_extended_key_usage(self.extended_key_usage), False))
        found.append((_basic_constraints(self.ca, self.path_length), True))
        if self.ca:
            found.append((x509.SubjectKeyIdentifier.from_public_key(self.public_key), False))
        if authority_key_identifier is not None:
            found.append((authority_key_identifier, False))
        if self.names != SubjectNames():
            found.append((_alternative_names(self.names), False))
        if self.marble_type is not None:
            found.append((marble_type_extension(self.marble_type), False))
        if self.forbidden_domain is not None:
            excluded = [x509.UniformResourceIdentifier(self.forbidden_domain)]
            found.append((x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=excluded), False))
        if self.simulation:
            found.append((simulation_extension(), False))
        return found


# The library checks what it is given, with a call into Python for each element. Certificates of one
# manifest say the same things again and again, and these values are immutable.


@lru_cache(maxsize=64)
def _extended_key_usage(usages: tuple[x509.ObjectIdentifier, ...]) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage(usages)


@lru_cache(maxsize=64)
def _basic_constraints(ca: bool, path_length: int | None) -> x509.BasicConstraints:
    return x509.BasicConstraints(ca=ca, path_length=path_length)


@lru_cache(maxsize=256)
def _alternative_names(names: SubjectNames) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(names.general_names())
