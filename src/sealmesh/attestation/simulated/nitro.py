"""Simulated Nitro Enclaves: a throw-away root, and documents as the Nitro hypervisor signs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, Hash
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation.cbor import encode_bytes, encode_head, encode_text
from sealmesh.attestation.cose import ES384, signature_structure
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

_CLOCK_SKEW = timedelta(days=1)
_REGISTERS = 16
_MODULE = "i-0simulated-enc0simulated"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedNitroEnclave:
    """What a simulated document says.

    Attributes:
        pcrs: Registers, 48 bytes each; those not named are zero.
        debug: Whether it runs in debug mode: then PCR 0, 1 and 2 are zero.
    """

    pcrs: Mapping[int, bytes] = field(default_factory=dict)
    debug: bool = False

    @classmethod
    def of(cls, enclave: SimulatedEnclave) -> "SimulatedNitroEnclave":
        """Return the enclave that runs this program: image in PCR 0 and 2, signer in PCR 8."""
        image = sha384(enclave.unique_id)
        pcrs = {0: image, 1: sha384(b"sealmesh simulated kernel"), 2: image, 8: sha384(enclave.signer_id)}
        return cls(pcrs=pcrs, debug=enclave.debug)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedHypervisor:
    """A machine that signs documents.

    Attributes:
        root: The root certificate, DER.
        certificate: Over the signing key, DER. (A real one lives three hours; this one as long as the root.)
        key: The signing key.
    """

    root: bytes
    certificate: bytes
    key: ec.EllipticCurvePrivateKey

    @property
    def trust_root(self) -> TrustRoot:
        """The root as a verifier's configuration names it."""
        digest = Hash(SHA256())
        digest.update(self.root)
        return TrustRoot(name=TRUST_ROOT_NAME, family=Family.NITRO, sha256=digest.finalize(), simulated=True)

    def document(self, enclave: SimulatedNitroEnclave, user_data: bytes, *, now: datetime) -> bytes:
        """Return a document of `enclave` with `user_data`."""
        payload = self._payload(enclave, user_data, now)
        protected = encode_head(5, 1) + encode_head(0, 1) + encode_head(1, -1 - ES384)
        message = signature_structure(protected, payload)
        scalars = decode_dss_signature(self.key.sign(message, ec.ECDSA(SHA384())))
        signature = b"".join(scalar.to_bytes(48, "big") for scalar in scalars)
        parts = (encode_bytes(protected), encode_head(5, 0), encode_bytes(payload), encode_bytes(signature))
        return encode_head(4, len(parts)) + b"".join(parts)

    def _payload(self, enclave: SimulatedNitroEnclave, user_data: bytes, now: datetime) -> bytes:
        unmeasured = (0, 1, 2) if enclave.debug else ()
        pcrs = {n: enclave.pcrs.get(n, bytes(48)) for n in range(_REGISTERS)} | dict.fromkeys(
            unmeasured, bytes(48)
        )
        registers = b"".join(encode_head(0, n) + encode_bytes(value) for n, value in pcrs.items())
        members = {
            "module_id": encode_text(_MODULE),
            "digest": encode_text("SHA384"),
            "timestamp": encode_head(0, int(now.timestamp() * 1000)),
            "pcrs": encode_head(5, len(pcrs)) + registers,
            "certificate": encode_bytes(self.certificate),
            "cabundle": encode_head(4, 1) + encode_bytes(self.root),
            "user_data": encode_bytes(user_data),
        }
        encoded = b"".join(encode_text(name) + value for name, value in members.items())
        return encode_head(5, len(members)) + encoded


def create_hypervisor(*, now: datetime, entropy: Entropy) -> SimulatedHypervisor:
    """Make a root and one machine under it.

    Args:
        now: Aware UTC; certificates are valid from a day before.
        entropy: Where the keys come from.
    """
    root_key, key = generate_p384_key(entropy), generate_p384_key(entropy)
    root_name = vendor_name("sealmesh simulated aws.nitro-enclaves")
    name = vendor_name("sealmesh simulated Nitro hypervisor")
    return SimulatedHypervisor(
        root=_issue(root_name, root_name, root_key.public_key(), root_key, now, ca=True),
        certificate=_issue(name, root_name, key.public_key(), root_key, now, ca=False),
        key=key,
    )


def _issue(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    ca: bool,
) -> bytes:
    usage = x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(1 if ca else 2)
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + CERTIFICATE_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )
    return builder.sign(key, SHA384()).public_bytes(Encoding.DER)
