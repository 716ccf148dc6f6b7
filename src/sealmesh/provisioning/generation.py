"""Make the values of secrets: random, derived, certified (COMPAT section 9).

Private symmetric keys are derived, so that the same Marble gets the same key again after restarts and
recovery. Private certificates are made anew at every activation. Entropy, keys, time and serial numbers
are arguments.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sealmesh.errors.pki import PkiError
from sealmesh.errors.provisioning import SecretNotGenerated
from sealmesh.manifest import SecretDefinition, SecretType
from sealmesh.pki import Authority, KeyFactory, issue_secret_certificate
from sealmesh.provisioning.certificate_profile import certificate_profile, effective_days
from sealmesh.provisioning.secret import Secret

__all__ = ["MAX_DERIVED_BITS", "derive_private_key", "generate_certificate", "generate_shared_key"]

#: HKDF-SHA256 gives at most 255 blocks of 32 bytes (RFC 5869, section 2.3).
MAX_DERIVED_BITS = 255 * 32 * 8
_CURVES = (224, 256, 384, 521)


def generate_shared_key(
    definition: SecretDefinition, name: str, *, entropy: Callable[[int], bytes]
) -> Secret:
    """Return a fresh shared symmetric key.

    Raises:
        SecretNotGenerated: It is no symmetric key, or its size is not a positive multiple of 8.
    """
    return Secret.of(definition, private=entropy(_key_bytes(definition, name)))


def derive_private_key(
    definition: SecretDefinition,
    name: str,
    *,
    root_secret: bytes,
    uuid: UUID,
    marble_type: str,
    disable_binding: bool,
) -> Secret:
    """Return one Marble's own symmetric key: HKDF-SHA256 of the root secret.

    Salt is the UUID's text (lower case, with dashes) and the secret's name; info is the Marble type, or
    empty with `DisableSecretBinding`. So equal (type, UUID, name) give equal keys.

    Raises:
        SecretNotGenerated: It is no symmetric key, or its size cannot be derived.
    """
    length = _key_bytes(definition, name)
    if definition.size > MAX_DERIVED_BITS:
        raise SecretNotGenerated(
            f"secret `{name}` is too large for a private key",
            found=f"{definition.size} bits",
            wanted=f"at most {MAX_DERIVED_BITS}",
        )
    kdf = HKDF(
        algorithm=hashes.SHA256(),
        length=length,
        salt=(str(uuid) + name).encode(),
        info=b"" if disable_binding else marble_type.encode(),
    )
    return Secret.of(definition, private=kdf.derive(root_secret))


def generate_certificate(
    definition: SecretDefinition,
    name: str,
    *,
    authority: Authority,
    keys: KeyFactory,
    now: datetime,
    serial: int,
    simulation: bool = False,
) -> Secret:
    """Return a fresh key pair with the certificate that the manifest asks for, issued by the intermediate.

    Raises:
        SecretNotGenerated: Size, names or times of the definition cannot be made into a certificate.
    """
    key = _key(definition, name, keys)
    public_key = key.public_key()
    try:
        certificate = issue_secret_certificate(
            authority,
            certificate_profile(definition, now=now),
            public_key=public_key,
            now=now,
            serial=serial,
            simulation=simulation,
        )
    except PkiError as error:
        raise SecretNotGenerated(
            f"secret `{name}`: {error.message}",
            found=error.found,
            wanted=error.wanted,
            remedy=error.remedy or f"Correct `Secrets.{name}.Cert` in the manifest.",
        ) from error
    return Secret.of(
        definition,
        cert=certificate.public_bytes(Encoding.DER),
        private=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        public=public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        valid_for=effective_days(definition),
    )


def _key_bytes(definition: SecretDefinition, name: str) -> int:
    size = definition.size
    if definition.type is not SecretType.SYMMETRIC_KEY or size <= 0 or size % 8:
        raise SecretNotGenerated(
            f"secret `{name}` cannot be generated",
            found=f"{definition.type.value} of {size} bits",
            wanted="symmetric-key, a multiple of 8 bits",
        )
    return size // 8


def _key(definition: SecretDefinition, name: str, keys: KeyFactory) -> CertificateIssuerPrivateKeyTypes:
    size = definition.size
    match definition.type:
        case SecretType.CERT_RSA if size >= 1024:
            return keys.rsa(size)
        case SecretType.CERT_ECDSA if size in _CURVES:
            return keys.ec(size)
        case SecretType.CERT_ED25519 if size == 0:
            return keys.ed25519()
    raise SecretNotGenerated(
        f"secret `{name}` cannot be generated",
        found=f"{definition.type.value} of {size} bits",
        wanted="cert-rsa from 1024, cert-ecdsa of 224, 256, 384 or 521, cert-ed25519 without a size",
    )
