"""Values that stand for secrets while a manifest's templates are tried (COMPAT section 8).

They have the right type and size and are never empty; no key is made. What a certificate will say comes
from its definition; its bytes are a fixed certificate that belongs to nobody.
"""

from base64 import b64decode
from datetime import UTC, datetime
from typing import Final

from sealmesh.errors.pki import PkiError
from sealmesh.errors.provisioning import SecretNotGenerated
from sealmesh.manifest import SecretDefinition, SecretType
from sealmesh.pki import SecretCertificateProfile
from sealmesh.provisioning.certificate_profile import certificate_profile, effective_days
from sealmesh.provisioning.data.root import MarbleRunSecrets
from sealmesh.provisioning.secret import Secret

__all__ = ["placeholder", "placeholder_profile", "placeholder_specials"]

#: Self-signed for CN=placeholder; its key was thrown away.
_CERTIFICATE: Final = b64decode(
    "MIIBFzCBv6ADAgECAgEBMAoGCCqGSM49BAMCMBYxFDASBgNVBAMMC3BsYWNlaG9sZGVyMB4XDTI2MDEwMTAwMDAwMFoXDTI2"
    "MDEwMjAwMDAwMFowFjEUMBIGA1UEAwwLcGxhY2Vob2xkZXIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQkY10rpih+JMfy"
    "njUTUD13HJyiHuK4w6dvovAWKC0mCjDSqmynPL5Gb1KoFD8dktymbJtaPyap8nce5MGE9HxwMAoGCCqGSM49BAMCA0cAMEQC"
    "IFp+hpamr6ChclnzlqTB3GyvW86viblPvIQD0X5FOcQjAiAv69eMG0oVQ/N6WxIkks3PpHdw6yMvg16Z2+Eg6T4ENQ=="
)
_PRIVATE: Final = b"placeholder for a private key"
_PUBLIC: Final = b"placeholder for a public key"
_TEXT: Final = b"placeholder"
#: Templates are tried outside of time: only how the end is written can matter, not when it is.
_SOME_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)


def placeholder(definition: SecretDefinition) -> Secret:
    """Return a value with the shape of the secret that `definition` describes."""
    match definition.type:
        case SecretType.SYMMETRIC_KEY:
            return Secret.of(definition, private=b"P" * max(1, definition.size // 8))
        case SecretType.PLAIN:
            return Secret.of(definition, private=_TEXT)
    return Secret.of(
        definition,
        cert=_CERTIFICATE,
        private=_PRIVATE,
        public=_PUBLIC,
        valid_for=definition.valid_for if definition.user_defined else effective_days(definition),
    )


def placeholder_profile(definition: SecretDefinition, name: str) -> SecretCertificateProfile:
    """Return what the certificate of a placeholder says in its fields.

    Raises:
        SecretNotGenerated: Subject or names cannot be written into a certificate.
    """
    profile = certificate_profile(definition, now=_SOME_TIME)
    try:
        profile.subject.to_name()
        profile.names.general_names()
    except (PkiError, ValueError) as error:
        raise SecretNotGenerated(
            f"the certificate of secret `{name}` cannot be written",
            found=error,
            remedy=f"Correct `Secrets.{name}.Cert` in the manifest.",
        ) from error
    return profile


def placeholder_specials() -> MarbleRunSecrets:
    """Return values under `.MarbleRun`, with a private key, as MarbleRun's activation has one."""
    return MarbleRunSecrets(
        root_ca=_CERTIFICATE,
        marble_cert=_CERTIFICATE,
        marble_private=_PRIVATE,
        marble_public=_PUBLIC,
        coordinator_root=_CERTIFICATE,
        coordinator_intermediate=_CERTIFICATE,
    )
