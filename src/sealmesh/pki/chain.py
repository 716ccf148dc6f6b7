"""Verify that a peer's certificates show a Marble of a mesh one trusts.

The steps, as RFC 5280 section 6 and the X509-SVID specification (sections 4 and 5) have them, cut down to the
one shape that exists here, leaf - [intermediate] - anchor:

1. The anchor is given by the caller (pinned: Coordinator's root, or Marble root) and is a CA now.
2. The leaf's issuer is the anchor, or an intermediate that the anchor issued: names equal, signature
   (ecdsa-with-SHA384, nothing else) holds.
3. Each certificate is valid now, and no critical extension is left that was not looked at.
4. The CAs may sign certificates; the path length allows it.
5. The leaf is no CA, may be used for TLS on both sides, and names exactly one Marble, in all three places:
   SPIFFE ID, Marble type extension, common name.
6. The SPIFFE ID's trust domain is the one of the anchor and of every CA between.

Not checked: revocation (leaves are short-lived), DNS names (the peer's SPIFFE ID is its name), and whether
the Access rules let this Marble in (`policy`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from sealmesh.errors.pki import IdentityError, MarbleChainError
from sealmesh.pki.extensions import marble_type_in, says_simulation
from sealmesh.pki.identity import parse_domain_id, parse_marble_id, trust_domain
from sealmesh.pki.profile import Validity
from sealmesh.pki.reading import UNREADABLE, is_mesh_signed

#: A chain of a mesh has at most one CA between; more are looked at in vain.
MAX_INTERMEDIATES: Final = 8
#: Ours are below 2 kB; a peer may send what it wants.
MAX_CERTIFICATE_BYTES: Final = 65_536
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarbleIdentity:
    """Who a verified certificate belongs to.

    Attributes:
        simulation: Its mesh accepts Evidence of a simulated TEE.
        not_after: When the leaf ends.
    """

    marble_type: str
    uuid: UUID
    trust_domain: str
    simulation: bool
    not_after: datetime


def verify_marble_chain(
    leaf: bytes, *, intermediates: Sequence[bytes] = (), root: bytes, now: datetime
) -> MarbleIdentity:
    """Return the Marble that the certificate `leaf` names, if it chains to `root` at `now`.

    Args:
        leaf: DER, as the peer presented it; that the peer holds its key is for TLS to prove.
        intermediates: DER, the rest of what the peer presented; those that do not fit are passed over.
        now: The time at which everything has to be valid.
        root: DER of the pinned anchor: the Coordinator's root or the Marble root.

    Raises:
        MarbleChainError: Any step failed.
    """
    try:
        return _verify(
            _load(leaf), [_load(item) for item in intermediates[:MAX_INTERMEDIATES]], _load(root), now
        )
    except UNREADABLE as error:
        raise MarbleChainError("The peer's certificates cannot be read", found=str(error)[:200]) from error
    except IdentityError as error:
        raise MarbleChainError("The peer's certificate names no Marble", found=str(error)) from error


def verify_authority_chain(chain: Sequence[bytes], *, root: bytes, now: datetime) -> x509.Certificate:
    """Return the first certificate of `chain`, if it is one of the authority of the mesh that `root` is of.

    That is the root itself, or a CA that it issued and that is named after the root's key. A Marble's
    certificate is none, and no CA that a manifest defines as a secret is: the intermediate issues those.

    Args:
        chain: DER, as the far end presented it: its own first. What follows is not needed.
        root: DER of the pinned root of the Coordinator.
        now: The time at which both have to be valid.

    Raises:
        MarbleChainError: Any step failed.
    """
    if not chain:
        raise MarbleChainError("There is no certificate of the signer")
    try:
        return _verify_authority(_load(chain[0]), _load(root), now)
    except UNREADABLE as error:
        raise MarbleChainError("The signer's certificates cannot be read", found=str(error)[:200]) from error
    except IdentityError as error:
        raise MarbleChainError("The signer's certificate names no mesh", found=str(error)) from error


def verify_coordinator_leaf(leaf: bytes, *, intermediate: bytes, now: datetime) -> None:
    """Accept `leaf` only as what a Coordinator of the mesh shows to Marbles (`server_leaf`).

    A Marble's certificate has another URI, a manifest's may carry none of the mesh, and a CA's is no leaf.

    Args:
        leaf: DER, as the server presented it; that it holds the key is for TLS to prove.
        intermediate: DER, of the mesh that was attested.
        now: The time at which the leaf has to be valid.

    Raises:
        MarbleChainError: Any step failed.
    """
    try:
        _verify_coordinator(_load(leaf), _load(intermediate), now)
    except UNREADABLE as error:
        raise MarbleChainError("The server's certificate cannot be read", found=str(error)[:200]) from error
    except IdentityError as error:
        raise MarbleChainError("The server's certificate names no mesh", found=str(error)) from error


def _verify_coordinator(leaf: x509.Certificate, intermediate: x509.Certificate, now: datetime) -> None:
    if not _issued(intermediate, leaf):
        raise MarbleChainError("The server's certificate was not issued by the mesh")
    _check_now(leaf, now)
    constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    extended = list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if (
        constraints.ca
        or usage.key_cert_sign
        or not usage.digital_signature
        or extended != [ExtendedKeyUsageOID.SERVER_AUTH]
        or len(list(names)) != 1
        or marble_type_in(leaf.extensions) is not None
    ):
        raise MarbleChainError("The certificate is not of the kind that a Coordinator shows")
    if parse_domain_id(_only_uri(leaf)) != parse_domain_id(_only_uri(intermediate)):
        raise MarbleChainError(
            "The server is of another mesh", found=_only_uri(leaf), wanted=_only_uri(intermediate)
        )


def _verify_authority(signer: x509.Certificate, root: x509.Certificate, now: datetime) -> x509.Certificate:
    _chain(signer, (), root)
    for below, certificate in enumerate((signer, root)):
        _check_now(certificate, now)
        _check_ca(certificate, below=below)
    domain = trust_domain(root.public_key())
    if parse_domain_id(_only_uri(signer)) != domain:
        raise MarbleChainError("The signer is of another mesh", found=_only_uri(signer), wanted=domain)
    return signer


def _verify(
    leaf: x509.Certificate, between: Sequence[x509.Certificate], root: x509.Certificate, now: datetime
) -> MarbleIdentity:
    chain = _chain(leaf, between, root)
    for certificate in (leaf, *chain):
        _check_now(certificate, now)
    for below, authority in enumerate(chain):
        _check_ca(authority, below=below)
    _check_leaf_usage(leaf)
    identity = parse_marble_id(_only_uri(leaf))
    _check_same_everywhere(leaf, identity.marble_type, str(identity.uuid))
    for authority in chain:
        if parse_domain_id(_only_uri(authority)) != identity.trust_domain:
            raise MarbleChainError(
                "The peer belongs to another mesh", found=identity.trust_domain, wanted=_only_uri(authority)
            )
    return MarbleIdentity(
        marble_type=identity.marble_type,
        uuid=identity.uuid,
        trust_domain=identity.trust_domain,
        simulation=any(says_simulation(item.extensions) for item in (leaf, *chain)),
        not_after=leaf.not_valid_after_utc,
    )


def _load(der: bytes) -> x509.Certificate:
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise MarbleChainError("A certificate is too large", found=f"{len(der)} bytes")
    certificate = x509.load_der_x509_certificate(der)
    if certificate.serial_number <= 0 or not is_mesh_signed(certificate):
        raise MarbleChainError("Not a certificate of a mesh", wanted="ecdsa-with-SHA384, serial above 0")
    return certificate


def _chain(
    leaf: x509.Certificate, between: Sequence[x509.Certificate], root: x509.Certificate
) -> tuple[x509.Certificate, ...]:
    if _issued(root, leaf):
        return (root,)
    for candidate in between:
        if _issued(candidate, leaf) and _issued(root, candidate):
            return (candidate, root)
    raise MarbleChainError(
        "The peer's certificate does not chain to the mesh's root",
        found=f"issued by {leaf.issuer.rfc4514_string()!r}",
        wanted=f"a chain to {root.subject.rfc4514_string()!r} with the pinned key",
    )


def _issued(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    try:
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _check_now(certificate: x509.Certificate, now: datetime) -> None:
    validity = Validity.of(certificate)
    if not validity.covers(now):
        raise MarbleChainError(
            f"The certificate of {certificate.subject.rfc4514_string()!r} is not valid now",
            code="marble-chain-expired",
            found=now,
            wanted=f"{validity.not_before} to {validity.not_after}",
        )
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise MarbleChainError("A critical extension is not known", found=extension.oid.dotted_string)


def _check_ca(certificate: x509.Certificate, *, below: int) -> None:
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    short = constraints.path_length is not None and constraints.path_length < below
    if not constraints.ca or not usage.key_cert_sign or short:
        raise MarbleChainError(
            "The issuer may not sign this certificate", found=certificate.subject.rfc4514_string()
        )


def _check_leaf_usage(leaf: x509.Certificate) -> None:
    constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    extended = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    both = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH} <= extended
    if constraints.ca or usage.key_cert_sign or not usage.digital_signature or not both:
        raise MarbleChainError("The certificate is not of the kind that Marbles have")


def _check_same_everywhere(leaf: x509.Certificate, marble_type: str, uuid: str) -> None:
    if marble_type_in(leaf.extensions) != marble_type.encode():
        raise MarbleChainError("The Marble type in extension and SPIFFE ID differ", wanted=marble_type)
    names = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if [name.value for name in names] != [uuid]:
        raise MarbleChainError("The UUID in common name and SPIFFE ID differ", wanted=uuid)


def _only_uri(certificate: x509.Certificate) -> str:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1:
        raise MarbleChainError("The certificate must name exactly one URI", found=len(uris))
    return uris[0]
