"""Issue, then check what was issued before it leaves.

Every certificate of the mesh goes through `issue`: template (`CertificateProfile`), signature, check of the
finished DER. The check parses the bytes anew, as a peer will, and compares every field with the template.

What the check does about the signature, and why. A P-384 verification costs 0.37 to 0.47 ms, twice the
whole rest of issuing a leaf (0.2 ms with the signature) and a ninth of what an activation may cost. It could
only find (a) a private key that is not the one in the issuer's certificate, (b) a fault of OpenSSL or the
CPU while signing. (a) is proved once per `Authority`, when it is made or read, and the key object cannot
change after. (b) would yield a certificate that every peer refuses: a failed activation, not a wrong one.
(That a fault while signing may tell an attacker about the key is as true of every TLS handshake of this
process, which nobody verifies either.) So leaves and generated secrets are checked without the signature
(0.06 ms), and CA certificates, which are few and live long, with it.
"""

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.errors.pki import IssuingError
from sealmesh.pki.identity import spki
from sealmesh.pki.p384 import verify
from sealmesh.pki.past_end import sign_past_end
from sealmesh.pki.profile import CertificateProfile, Validity
from sealmesh.pki.reading import UNREADABLE, is_mesh_signed, signed_fields
from sealmesh.pki.stencil import Stencils


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who signs: a name, a key, and in which span its certificates may lie. Made once, used often.

    Attributes:
        name_der: The name as it stands in the issuer's certificate. Peers that build a chain compare bytes,
            so what is issued must bear these.
    """

    name: x509.Name
    name_der: bytes
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    validity: Validity
    key_identifier: x509.AuthorityKeyIdentifier | None
    stencils: Stencils = field(default_factory=Stencils, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
        *,
        validity: Validity | None = None,
    ) -> "Issuer":
        """Return the issuer that `certificate` describes; `validity` narrows the span."""
        return cls(
            name=certificate.subject,
            name_der=signed_fields(certificate.public_bytes(Encoding.DER)).subject,
            key=key,
            validity=validity or Validity.of(certificate),
            key_identifier=x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
        )

    @classmethod
    def itself(cls, profile: CertificateProfile, key: ec.EllipticCurvePrivateKey) -> "Issuer":
        """Return the issuer of a self-signed certificate, which carries no authority key identifier."""
        return cls(
            name=profile.subject,
            name_der=profile.subject.public_bytes(),
            key=key,
            validity=profile.validity,
            key_identifier=None,
        )


def issue(profile: CertificateProfile, issuer: Issuer, *, check_signature: bool) -> x509.Certificate:
    """Sign what `profile` says with ECDSA and SHA-384, and return it only if it came out as said.

    Args:
        profile: What the certificate shall say.
        issuer: Whose name and key it bears.
        check_signature: Whether to verify the signature just made; see the module's text.

    Raises:
        IssuingError: The profile cannot be written as a certificate, or the result differs from it.
    """
    try:
        certificate = _sign(profile, issuer)
    except (ValueError, TypeError, OverflowError) as error:
        raise IssuingError("The certificate cannot be written", found=str(error)) from error
    return check_issued(
        certificate.public_bytes(Encoding.DER), profile, issuer, check_signature=check_signature
    )


def check_issued(
    der: bytes, profile: CertificateProfile, issuer: Issuer, *, check_signature: bool
) -> x509.Certificate:
    """Return the certificate in `der` if it says exactly what `profile` says, under `issuer`.

    Raises:
        IssuingError: Some field differs; all that do are named.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        wrong = list(_differences(certificate, der, profile, issuer))
    except UNREADABLE as error:
        raise IssuingError("What was issued cannot be read back", found=str(error)) from error
    if wrong:
        raise IssuingError("What was issued differs from what was asked for", found=", ".join(wrong))
    if check_signature:
        check_signed_by(certificate, issuer.key.public_key())
    return certificate


def check_signed_by(certificate: x509.Certificate, key: ec.EllipticCurvePublicKey) -> None:
    """Accept `certificate` only with a good ECDSA-with-SHA384 signature by `key`.

    Raises:
        IssuingError: Another algorithm or another key.
    """
    if not is_mesh_signed(certificate):
        raise IssuingError("The certificate is not signed with ECDSA and SHA-384")
    try:
        verify(key, certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(hashes.SHA384()))
    except InvalidSignature as error:
        raise IssuingError("The certificate is not signed by its issuer's key") from error


def _sign(profile: CertificateProfile, issuer: Issuer) -> x509.Certificate:
    # All extensions at once: one by one, the builder is copied and searched for each.
    extensions = [
        x509.Extension(value.oid, critical, value)
        for value, critical in profile.extensions(issuer.key_identifier)
    ]
    builder = (
        x509.CertificateBuilder(extensions=extensions)
        .issuer_name(issuer.name)
        .subject_name(profile.subject)
        .public_key(profile.public_key)
        .serial_number(profile.serial)
    )
    begin, end = profile.validity.not_before, profile.validity.not_after
    if end < begin:
        return sign_past_end(builder, issuer.key, begin=begin, end=end)
    return builder.not_valid_before(begin).not_valid_after(end).sign(issuer.key, hashes.SHA384())


def _differences(
    certificate: x509.Certificate, der: bytes, profile: CertificateProfile, issuer: Issuer
) -> list[str]:
    fields = signed_fields(der)
    found = {
        "version": certificate.version is x509.Version.v3,
        "issuer": fields.issuer == issuer.name_der,
        "subject": certificate.subject == profile.subject,
        "serial number": 0 < certificate.serial_number == profile.serial,
        "public key": fields.public_key == spki(profile.public_key),
        "signature algorithm": is_mesh_signed(certificate),
        "validity": Validity.of(certificate) == profile.validity,
        "validity within the issuer's": not profile.bounded_by_issuer
        or profile.validity.intersect(issuer.validity) == profile.validity,
        "extensions": [(item.value, item.critical) for item in certificate.extensions]
        == profile.extensions(issuer.key_identifier),
    }
    return [name for name, right in found.items() if not right]
