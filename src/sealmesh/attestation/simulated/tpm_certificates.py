"""Certificates of a simulated TPM's manufacturer, after the TCG EK Credential Profile for TPM 2.0."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation.simulated.vendor import CERTIFICATE_LIFETIME, Entropy, vendor_name

_CLOCK_SKEW = timedelta(days=1)
_EK_CERTIFICATE = x509.ObjectIdentifier("2.23.133.8.1")
_TPM_ATTRIBUTES = (  # manufacturer, model, version (section 3.1.2)
    ("2.23.133.2.1", "id:00000000"),
    ("2.23.133.2.2", "sealmesh simulation"),
    ("2.23.133.2.3", "id:00000001"),
)


def issue_manufacturer(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    entropy: Entropy,
) -> x509.Certificate:
    """Issue the certificate of the manufacturer's root, for which `issuer` is None, or of a CA under it."""
    name = vendor_name(common_name)
    above = name if issuer is None else issuer.subject
    builder = _started(name, above, key.public_key(), now, entropy)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=1 if issuer is None else 0), critical=True
    )
    return builder.add_extension(_usage(ca=True), critical=True).sign(issuer_key, SHA256())


def issue_endorsement_certificate(
    endorsement_key: ec.EllipticCurvePublicKey,
    *,
    issuer: x509.Certificate,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    entropy: Entropy,
) -> bytes:
    """Issue the EK certificate of one TPM, DER."""
    attributes = [x509.NameAttribute(x509.ObjectIdentifier(oid), text) for oid, text in _TPM_ATTRIBUTES]
    return (
        _started(vendor_name("sealmesh simulated TPM"), issuer.subject, endorsement_key, now, entropy)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([_EK_CERTIFICATE]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.DirectoryName(x509.Name(attributes))]), critical=False
        )
        .sign(issuer_key, SHA256())
        .public_bytes(Encoding.DER)
    )


def _started(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, entropy: Entropy
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(1 << 127 | int.from_bytes(entropy(15), "big"))
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + CERTIFICATE_LIFETIME)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    """Return what the key is for: a CA's signs, an elliptic EK agrees on keys."""
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
