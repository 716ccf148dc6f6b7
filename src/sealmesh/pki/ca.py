"""Make and renew the mesh's authority (profiles: COMPAT, section 6)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sealmesh.errors.pki import AuthorityError
from sealmesh.pki.authority import Authority
from sealmesh.pki.extensions import CA_KEY_USAGE
from sealmesh.pki.identity import domain_id, trust_domain
from sealmesh.pki.issuing import Issuer, issue
from sealmesh.pki.keys import KeyFactory
from sealmesh.pki.names import SEALMESH_NAMES, CaNames, common_name
from sealmesh.pki.profile import CertificateProfile, IpAddress, SubjectNames, Validity

CA_KEY_BITS: Final = 384
#: RFC 5280, 4.1.2.2 allows 20 bytes; 16 random ones are unique and always positive with a leading zero bit.
_SERIAL_BYTES: Final = 16
_LOOPBACK: Final[tuple[IpAddress, ...]] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


def new_serial(entropy: Callable[[int], bytes]) -> int:
    """Return a random serial number of 127 bits, never 0."""
    return (int.from_bytes(entropy(_SERIAL_BYTES), "big") >> 1) | 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """What the CA certificates made at one time have in common."""

    dns_names: tuple[str, ...]
    ip_addresses: tuple[IpAddress, ...]
    domain: str
    entropy: Callable[[int], bytes]
    simulation: bool

    def profile(self, cn: str, key: ec.EllipticCurvePrivateKey, validity: Validity) -> CertificateProfile:
        return CertificateProfile(
            subject=common_name(cn),
            public_key=key.public_key(),
            serial=new_serial(self.entropy),
            validity=validity,
            names=SubjectNames(
                dns=tuple(dict.fromkeys(self.dns_names)),
                ips=tuple(dict.fromkeys((*_LOOPBACK, *self.ip_addresses))),
                uris=(domain_id(self.domain),),
            ),
            key_usage=CA_KEY_USAGE,
            ca=True,
            simulation=self.simulation,
        )


def issue_authority(
    keys: KeyFactory,
    *,
    names: CaNames = SEALMESH_NAMES,
    dns_names: Sequence[str],
    ip_addresses: Sequence[IpAddress] = (),
    now: datetime,
    lifetime: timedelta,
    root_lifetime: timedelta | None = None,
    entropy: Callable[[int], bytes],
    simulation: bool,
) -> Authority:
    """Make a new mesh: fresh P-384 keys, root, intermediate, Marble root.

    Args:
        keys: Where the two private keys come from.
        names: The common names.
        dns_names: The Coordinator's own names, written into all three.
        ip_addresses: Its addresses; 127.0.0.1 and ::1 always come first.
        now: The time of issue.
        lifetime: Of intermediate and Marble root.
        root_lifetime: Of the root; as `lifetime` if not given. The intermediate ends with the root.
        entropy: For the serial numbers.
        simulation: Stamp all three "simulated TEE".

    Raises:
        IssuingError: A name cannot be written into a certificate, or a lifetime is not positive.
    """
    root_key = keys.ec(CA_KEY_BITS)
    terms = _terms(root_key, dns_names, ip_addresses, entropy, simulation=simulation)
    validity = Validity.starting(now, root_lifetime or lifetime)
    root = _self_signed(terms.profile(names.root, root_key, validity), root_key)
    return _below_root(terms, root, root_key, keys.ec(CA_KEY_BITS), names.intermediate, now, lifetime)


def renew_intermediate(
    authority: Authority,
    keys: KeyFactory,
    *,
    dns_names: Sequence[str],
    ip_addresses: Sequence[IpAddress] = (),
    now: datetime,
    lifetime: timedelta,
    entropy: Callable[[int], bytes],
    simulation: bool,
) -> Authority:
    """Return `authority` with a new intermediate key, intermediate and Marble root; the root stays.

    Raises:
        IssuingError: The root is not valid at `now`, or a name cannot be written.
    """
    terms = _terms(authority.root_key, dns_names, ip_addresses, entropy, simulation=simulation)
    key, cn = keys.ec(CA_KEY_BITS), _cn(authority.intermediate_cert)
    return _below_root(terms, authority.root_cert, authority.root_key, key, cn, now, lifetime)


def extend_authority(
    authority: Authority,
    *,
    dns_names: Sequence[str],
    ip_addresses: Sequence[IpAddress] = (),
    now: datetime,
    lifetime: timedelta,
    root_lifetime: timedelta | None = None,
    entropy: Callable[[int], bytes],
    simulation: bool,
) -> Authority:
    """Return `authority` with three new certificates over the same keys, before the old ones expire.

    Leaves that were issued before chain to the new certificates as to the old, and the trust domain stays.
    A relying party that pinned the root certificate's bytes has to fetch the new one.

    Raises:
        IssuingError: A lifetime is not positive, or a name cannot be written.
    """
    terms = _terms(authority.root_key, dns_names, ip_addresses, entropy, simulation=simulation)
    validity = Validity.starting(now, root_lifetime or lifetime)
    root = _self_signed(
        terms.profile(_cn(authority.root_cert), authority.root_key, validity), authority.root_key
    )
    cn = _cn(authority.intermediate_cert)
    return _below_root(terms, root, authority.root_key, authority.intermediate_key, cn, now, lifetime)


def _terms(
    root_key: ec.EllipticCurvePrivateKey,
    dns_names: Sequence[str],
    ip_addresses: Sequence[IpAddress],
    entropy: Callable[[int], bytes],
    *,
    simulation: bool,
) -> _Terms:
    return _Terms(
        dns_names=tuple(dns_names),
        ip_addresses=tuple(ip_addresses),
        domain=trust_domain(root_key.public_key()),
        entropy=entropy,
        simulation=simulation,
    )


def _below_root(
    terms: _Terms,
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    cn: str,
    now: datetime,
    lifetime: timedelta,
) -> Authority:
    validity = Validity.starting(now, lifetime, within=Validity.of(root))
    intermediate = issue(terms.profile(cn, key, validity), Issuer.of(root, root_key), check_signature=True)
    return Authority(
        root_cert=root,
        root_key=root_key,
        intermediate_cert=intermediate,
        intermediate_key=key,
        marble_root_cert=_self_signed(terms.profile(cn, key, validity), key),
    )


def _self_signed(profile: CertificateProfile, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return issue(profile, Issuer.itself(profile, key), check_signature=True)


def _cn(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(found) != 1 or not isinstance(found[0].value, str):
        raise AuthorityError("A certificate of the authority has no single common name")
    return found[0].value
