"""Simulated SEV-SNP: a throw-away ARK and ASK, a chip with its VCEK, and byte-exact reports.

The reports bring their certificates in the certificate table, as a host gives them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, Hash
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation.family import Family
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.simulated.enclave import SimulatedEnclave
from sealmesh.attestation.simulated.td import sha384
from sealmesh.attestation.simulated.vendor import (
    CERTIFICATE_LIFETIME,
    TRUST_ROOT_NAME,
    Entropy,
    generate_p384_key,
    vendor_name,
)
from sealmesh.attestation.snp.report import REPORT_LENGTH, SIGNED_LENGTH

CaKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
"""AMD's CAs have RSA keys; a simulated one may have an elliptic one, which is made in no time."""

_AMD = "1.3.6.1.4.1.3704.1."
_CLOCK_SKEW = timedelta(days=1)
_POLICY_RESERVED, _POLICY_SMT, _POLICY_DEBUG = 1 << 17, 1 << 16, 1 << 19
_MILAN = bytes((0x19, 0x01, 0x01))
_GUIDS = {
    "VCEK": "63da758de6644564adc5f4b93be8accd",
    "ASK": "4ab7b379bbac4fe4a02f05aef327c782",
    "ARK": "c0b406a4a803495297433fb6014cd0ae",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedGuest:
    """What a simulated SNP guest's report says; lengths as in `SnpClaims`."""

    measurement: bytes
    host_data: bytes = bytes(32)
    id_key_digest: bytes = bytes(48)
    author_key_digest: bytes = bytes(48)
    family_id: bytes = bytes(16)
    image_id: bytes = bytes(16)
    guest_svn: int = 0
    vmpl: int = 0
    policy: int = _POLICY_RESERVED | _POLICY_SMT
    version: int = 3

    @classmethod
    def of(cls, enclave: SimulatedEnclave) -> "SimulatedGuest":
        """Return the guest that runs this program: measured, its ID block signed by the program's signer."""
        return cls(
            measurement=sha384(enclave.unique_id),
            id_key_digest=sha384(enclave.signer_id),
            family_id=enclave.product_id.to_bytes(16, "little"),
            guest_svn=enclave.security_version,
            policy=_POLICY_RESERVED | _POLICY_SMT | (_POLICY_DEBUG if enclave.debug else 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedChip:
    """A processor that makes reports.

    Attributes:
        key: The VCEK's.
        vcek: Its certificate, DER; so `ask` and `ark`.
        chip_id: 64 bytes.
        tcb: 8 bytes, the TCB version of which the key is.
        ark_key: The vendor's, for revocation lists. (A real chip does not have it.)
    """

    key: ec.EllipticCurvePrivateKey
    vcek: bytes
    ask: bytes
    ark: bytes
    chip_id: bytes
    tcb: bytes
    ark_key: CaKey

    @property
    def trust_root(self) -> TrustRoot:
        """The ARK as a verifier's configuration names it."""
        digest = Hash(SHA256())
        digest.update(self.ark)
        return TrustRoot(name=TRUST_ROOT_NAME, family=Family.SNP, sha256=digest.finalize(), simulated=True)

    def report(self, guest: SimulatedGuest, report_data: bytes) -> bytes:
        """Return a report of `guest` over `report_data` (64 bytes), and the certificate table behind it."""
        signed = self._signed(guest, report_data)
        scalars = decode_dss_signature(self.key.sign(signed, ec.ECDSA(SHA384())))
        signature = b"".join(scalar.to_bytes(72, "little") for scalar in scalars)
        return (signed + signature).ljust(REPORT_LENGTH, b"\0") + self._table()

    def crl(self, *, issued: datetime, lifetime: timedelta, revoked: frozenset[int] = frozenset()) -> bytes:
        """Return the ARK's revocation list, DER."""
        issuer = x509.load_der_x509_certificate(self.ark).subject
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer)
            .last_update(issued)
            .next_update(issued + lifetime)
        )
        for serial in sorted(revoked):
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(issued)
            builder = builder.add_revoked_certificate(entry.build())
        crl = builder.sign(self.ark_key, SHA384(), rsa_padding=_padding(self.ark_key))
        return crl.public_bytes(Encoding.DER)

    def at(self, tcb: bytes) -> "SimulatedChip":
        """Return the chip claiming another TCB version than its certificate's, as a forger would."""
        return replace(self, tcb=tcb)

    def _signed(self, guest: SimulatedGuest, report_data: bytes) -> bytes:
        if len(report_data) != 64:
            raise ValueError("report data is 64 bytes")
        number = int.to_bytes
        parts = (
            number(guest.version, 4, "little"), number(guest.guest_svn, 4, "little"),
            number(guest.policy, 8, "little"), guest.family_id, guest.image_id,
            number(guest.vmpl, 4, "little"), number(1, 4, "little"), self.tcb, number(1, 8, "little"),
            bytes(8), report_data, guest.measurement, guest.host_data, guest.id_key_digest,
            guest.author_key_digest, bytes(32), b"\xff" * 32, self.tcb,
            _MILAN if guest.version > 2 else bytes(3), bytes(21), self.chip_id, self.tcb, bytes(8), self.tcb,
        )  # fmt: skip
        return b"".join(parts).ljust(SIGNED_LENGTH, b"\0")

    def _table(self) -> bytes:
        certificates = {"VCEK": self.vcek, "ASK": self.ask, "ARK": self.ark}
        offset = 24 * (len(certificates) + 1)
        entries = b""
        for name, der in certificates.items():
            place = offset.to_bytes(4, "little") + len(der).to_bytes(4, "little")
            entries += bytes.fromhex(_GUIDS[name]) + place
            offset += len(der)
        return entries + bytes(24) + b"".join(certificates.values())


def create_chip(
    *,
    now: datetime,
    entropy: Entropy,
    rsa_key: Callable[[], rsa.RSAPrivateKey] | None = None,
    svn: int = 1,
) -> SimulatedChip:
    """Make a vendor and one chip of it (Milan), with each part of its TCB at `svn`.

    Args:
        now: Aware UTC; certificates are valid from a day before.
        entropy: Where the chip's key and ID come from.
        rsa_key: Makes the vendor's two RSA keys; without it they are elliptic, unlike AMD's.
        svn: 0 to 127.
    """
    ark_key, ask_key = (generate_p384_key(entropy) if rsa_key is None else rsa_key() for _ in range(2))
    key = generate_p384_key(entropy)
    chip_id = entropy(64)
    ark_name, ask_name = (
        vendor_name(f"sealmesh simulated SNP {name}") for name in ("ARK-Milan", "SEV-Milan")
    )
    ark = _issue(ark_name, ark_name, ark_key.public_key(), ark_key, now, serial=1, ca=True)
    ask = _issue(ask_name, ark_name, ask_key.public_key(), ark_key, now, serial=2, ca=True)
    vcek_name = vendor_name("sealmesh simulated SNP SEV-VCEK")
    extensions = _vcek_extensions(chip_id, svn)
    vcek = _issue(vcek_name, ask_name, key.public_key(), ask_key, now, serial=1, extensions=extensions)
    return SimulatedChip(
        key=key,
        vcek=vcek,
        ask=ask,
        ark=ark,
        chip_id=chip_id,
        tcb=bytes((svn, svn, 0, 0, 0, 0, svn, svn)),
        ark_key=ark_key,
    )


def _vcek_extensions(chip_id: bytes, svn: int) -> dict[str, bytes]:
    version = bytes((2, 1, svn))
    product = b"Milan-B0"
    return {
        "1": bytes((2, 1, 0)),
        "2": bytes((0x16, len(product))) + product,
        **{f"3.{part}": version for part in (1, 2, 3, 8)},
        **{f"3.{part}": bytes((2, 1, 0)) for part in (4, 5, 6, 7)},
        "4": chip_id,
    }


def _issue(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    key: CaKey,
    now: datetime,
    *,
    serial: int,
    ca: bool = False,
    extensions: dict[str, bytes] | None = None,
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(serial)
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + CERTIFICATE_LIFETIME)
    )
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    for suffix, value in (extensions or {}).items():
        oid = x509.ObjectIdentifier(_AMD + suffix)
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return builder.sign(key, SHA384(), rsa_padding=_padding(key)).public_bytes(Encoding.DER)


def _padding(key: CaKey) -> PSS | None:
    return (
        None
        if isinstance(key, ec.EllipticCurvePrivateKey)
        else PSS(mgf=MGF1(SHA384()), salt_length=SHA384.digest_size)
    )
