"""The simulated vendor: a root CA, a PCK CA and a TCB signer, of nobody's.

The certificates follow Intel's PCK certificate profile except for the names, which say what they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sealmesh.attestation.family import Family
from sealmesh.attestation.roots import TrustRoot

Entropy = Callable[[int], bytes]

ORGANIZATION = "sealmesh simulation, protects nothing"
TRUST_ROOT_NAME = "simulated"
CERTIFICATE_LIFETIME = timedelta(days=20 * 365)
_CLOCK_SKEW = timedelta(days=1)
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_P384_ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWithCertificate:
    """A private key and the certificate over it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedVendor:
    """The vendor's three keys."""

    root: KeyWithCertificate
    pck_ca: KeyWithCertificate
    tcb_signer: KeyWithCertificate

    @property
    def trust_root(self) -> TrustRoot:
        """The root for SGX, as a verifier's configuration names it."""
        return self.trust_root_for(Family.SGX)

    def trust_root_for(self, family: Family) -> TrustRoot:
        """Return the root for SGX or TDX; it is the same certificate."""
        digest = Hash(SHA256())
        digest.update(self.root.certificate.public_bytes(Encoding.DER))
        return TrustRoot(name=TRUST_ROOT_NAME, family=family, sha256=digest.finalize(), simulated=True)


def create_vendor(
    *, now: datetime, entropy: Entropy, lifetime: timedelta = CERTIFICATE_LIFETIME
) -> SimulatedVendor:
    """Make a vendor.

    Args:
        now: Aware UTC; certificates are valid from a day before.
        entropy: Where keys and serial numbers come from.
        lifetime: How long the certificates are valid.
    """
    root_key = generate_key(entropy)
    issue = _Issuing(entropy=entropy, now=now, lifetime=lifetime)
    root_name = vendor_name("sealmesh simulated SGX Root CA")
    root = KeyWithCertificate(
        key=root_key,
        certificate=issue.certificate(
            root_name, root_key.public_key(), issuer=root_name, issuer_key=root_key, path_length=1
        ),
    )
    ca_key, signer_key = generate_key(entropy), generate_key(entropy)
    ca = issue.certificate(
        vendor_name("sealmesh simulated SGX PCK Platform CA"),
        ca_key.public_key(),
        issuer=root_name,
        issuer_key=root_key,
        path_length=0,
    )
    signer = issue.certificate(
        vendor_name("sealmesh simulated SGX TCB Signing"),
        signer_key.public_key(),
        issuer=root_name,
        issuer_key=root_key,
    )
    return SimulatedVendor(
        root=root,
        pck_ca=KeyWithCertificate(key=ca_key, certificate=ca),
        tcb_signer=KeyWithCertificate(key=signer_key, certificate=signer),
    )


def issue_pck(
    vendor: SimulatedVendor,
    public_key: ec.EllipticCurvePublicKey,
    sgx_extension: x509.UnrecognizedExtension,
    *,
    now: datetime,
    entropy: Entropy,
    lifetime: timedelta = CERTIFICATE_LIFETIME,
) -> x509.Certificate:
    """Issue the PCK certificate of a platform."""
    return _Issuing(entropy=entropy, now=now, lifetime=lifetime).certificate(
        vendor_name("sealmesh simulated SGX PCK Certificate"),
        public_key,
        issuer=vendor.pck_ca.certificate.subject,
        issuer_key=vendor.pck_ca.key,
        sgx_extension=sgx_extension,
    )


def generate_key(entropy: Entropy) -> ec.EllipticCurvePrivateKey:
    """Return a P-256 key from 48 bytes of entropy (FIPS 186-5, A.2.1, extra random bits)."""
    scalar = int.from_bytes(entropy(48), "big") % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


def generate_p384_key(entropy: Entropy) -> ec.EllipticCurvePrivateKey:
    """Return a P-384 key from 72 bytes of entropy, likewise."""
    scalar = int.from_bytes(entropy(72), "big") % (_P384_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP384R1())


def vendor_name(common_name: str) -> x509.Name:
    """Return the name of a simulated vendor's certificate."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issuing:
    entropy: Entropy
    now: datetime
    lifetime: timedelta

    def certificate(
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey,
        *,
        issuer: x509.Name,
        issuer_key: ec.EllipticCurvePrivateKey,
        path_length: int | None = None,
        sgx_extension: x509.UnrecognizedExtension | None = None,
    ) -> x509.Certificate:
        is_ca = path_length is not None
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(1 << 127 | int.from_bytes(self.entropy(15), "big"))
            .not_valid_before(self.now - _CLOCK_SKEW)
            .not_valid_after(self.now + self.lifetime)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=path_length), critical=True)
            .add_extension(_key_usage(is_ca), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
            )
        )
        if sgx_extension is not None:
            builder = builder.add_extension(sgx_extension, critical=False)
        return builder.sign(issuer_key, SHA256())


def _key_usage(is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=not is_ca,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )
