"""Manifests to measure with, and Marbles with real (simulated-platform) Evidence to send."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.load.generator import Identity
from sealmesh.adapters.attester.platform import open_or_create
from sealmesh.attestation.simulated import SimulatedEnclave
from sealmesh.wire import enrolment_pb2, marble_pb2

ENCLAVE = SimulatedEnclave(
    unique_id=sha256(b"bench program").digest(),
    signer_id=sha256(b"bench signer").digest(),
    product_id=7,
    security_version=3,
)


def manifest(
    *,
    types: int = 1,
    used_keys: int = 1,
    used_certificates: int = 0,
    unused_keys: int = 0,
    unused_certificates: int = 0,
    limit: int = 0,
) -> bytes:
    """Return a manifest with `types` Marble types; the type `m0` uses the used secrets in its environment."""
    secrets: dict[str, object] = {f"key{i}": {"Type": "symmetric-key", "Size": 128} for i in range(used_keys)}
    secrets |= {f"cert{i}": {"Type": "cert-ecdsa", "Size": 256} for i in range(used_certificates)}
    secrets |= {
        f"idle{i}": {"Type": "symmetric-key", "Size": 128, "Shared": True} for i in range(unused_keys)
    }
    secrets |= {f"idle-cert{i}": {"Type": "cert-ecdsa", "Size": 256} for i in range(unused_certificates)}
    env = {f"KEY{i}": f"{{{{ hex .Secrets.key{i} }}}}" for i in range(used_keys)}
    env |= {f"CERT{i}": f"{{{{ pem .Secrets.cert{i}.Cert }}}}" for i in range(used_certificates)}
    env |= {f"PRIVATE{i}": f"{{{{ pem .Secrets.cert{i}.Private }}}}" for i in range(used_certificates)}
    marble = {"Package": "p", "MaxActivations": limit, "Parameters": {"Env": env}}
    document = {
        "Packages": {
            "p": {
                "SignerID": ENCLAVE.signer_id.hex(),
                "ProductID": ENCLAVE.product_id,
                "SecurityVersion": ENCLAVE.security_version,
            }
        },
        "Marbles": {f"m{i}": marble for i in range(types)},
        "Secrets": secrets,
        "Simulation": True,
        "Config": {"FeatureGates": ["Simulation"]},
    }
    return json.dumps(document).encode()


def marbles(platform: Path, count: int, *, legacy: bool) -> list[Identity]:
    """Return `count` Marbles of type `m0`: P-384 keys for the legacy call, P-256 for our own."""
    quoting = open_or_create(platform).platform
    curve: ec.EllipticCurve = ec.SECP384R1() if legacy else ec.SECP256R1()
    digest = hashes.SHA384() if legacy else hashes.SHA256()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    identities = []
    for number in range(count):
        key = ec.generate_private_key(curve)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(number + 1)
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, digest)
        )
        der = certificate.public_bytes(serialization.Encoding.DER)
        evidence = quoting.quote(ENCLAVE, sha256(der).digest().ljust(64, b"\0"))
        csr = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(name)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, digest)
            .public_bytes(serialization.Encoding.DER)
        )
        uuid = str(UUID(int=number + 1))
        if legacy:
            message = marble_pb2.ActivationReq(
                Quote=evidence, CSR=csr, MarbleType="m0", UUID=uuid
            ).SerializeToString()
        else:
            message = enrolment_pb2.ActivateRequest(
                evidence=evidence,
                csr=csr,
                marble_type="m0",
                uuid=uuid,
                coordinator_nonce=bytes(32),
                inflates=True,
            ).SerializeToString()
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        key_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        identities.append(Identity(certificate=pem, key=key_pem, message=message))
    return identities
