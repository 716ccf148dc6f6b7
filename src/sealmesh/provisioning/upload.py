"""Check what a user uploads as the value of user-defined secrets (COMPAT section 9, "Upload").

All or nothing. Who may write is the caller's business, and comes after these checks; so do the templates
(`trial.try_templates` with the new values).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.errors.provisioning import UploadProblem, UploadRefused
from sealmesh.manifest import Manifest, SecretDefinition, SecretType
from sealmesh.pki.reading import UNREADABLE
from sealmesh.provisioning.secret import Secret

__all__ = ["Upload", "check_uploads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What was sent for one secret; empty where a field was not sent. The contents stay out of `repr`."""

    cert: bytes = field(default=b"", repr=False)
    private: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)


def check_uploads(manifest: Manifest, uploads: Mapping[str, Upload]) -> dict[str, Secret]:
    """Return the secrets' new values.

    A certificate's private key is not checked against it, nor its algorithm against the secret's type.

    Raises:
        UploadRefused: Nothing was uploaded, or one of the secrets is refused.
    """
    if not uploads:
        raise UploadRefused("no secret was uploaded", code=UploadProblem.EMPTY)
    return {name: _checked(name, manifest.secrets.get(name), upload) for name, upload in uploads.items()}


def _checked(name: str, definition: SecretDefinition | None, upload: Upload) -> Secret:
    if definition is None:
        raise UploadRefused(f"the manifest has no secret `{name}`", code=UploadProblem.UNKNOWN)
    if not definition.user_defined:
        raise UploadRefused(
            f"secret `{name}` is generated",
            code=UploadProblem.GENERATED,
            wanted="a secret with `UserDefined`",
        )
    if definition.type.is_certificate:
        return _certificate(name, definition, upload)
    return _key(name, definition, upload)


def _key(name: str, definition: SecretDefinition, upload: Upload) -> Secret:
    for field_name, value in (("Cert", upload.cert), ("Private", upload.private)):
        if value:
            raise _unexpected(name, field_name, "`Key` alone")
    if definition.type is SecretType.SYMMETRIC_KEY and len(upload.key) != definition.size // 8:
        raise UploadRefused(
            f"the key for secret `{name}` has the wrong length",
            code=UploadProblem.KEY_LENGTH,
            found=f"{len(upload.key)} bytes",
            wanted=f"{definition.size // 8} bytes ({definition.size} bits)",
        )
    return Secret.of(definition, private=upload.key)


def _certificate(name: str, definition: SecretDefinition, upload: Upload) -> Secret:
    if upload.key:
        raise _unexpected(name, "Key", "`Cert` and `Private`")
    if not upload.cert:
        raise UploadRefused(
            f"secret `{name}` needs a certificate",
            code=UploadProblem.CERTIFICATE_MISSING,
            wanted="`Cert`, DER",
        )
    try:
        certificate = x509.load_der_x509_certificate(upload.cert)
        public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except UNREADABLE:
        raise UploadRefused(
            f"the certificate for secret `{name}` cannot be read",
            code=UploadProblem.CERTIFICATE_BROKEN,
            wanted="one X.509 certificate, DER",
        ) from None
    return Secret.of(definition, cert=upload.cert, private=upload.private, public=public)


def _unexpected(name: str, field_name: str, wanted: str) -> UploadRefused:
    return UploadRefused(
        f"secret `{name}` cannot take `{field_name}`", code=UploadProblem.UNEXPECTED_FIELD, wanted=wanted
    )
