"""Values for secrets in files: JSON as MarbleRun's client takes it, and PEM."""

from collections.abc import Mapping

from asn1crypto import pem
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from sealmesh.client.secret import SecretUpload
from sealmesh.errors.client import SecretFileError
from sealmesh.errors.transport import BodyRefused
from sealmesh.pki.reading import UNREADABLE
from sealmesh.wire.bodies import parse_uploads_v1


def parse_secret_uploads(raw: bytes) -> Mapping[str, SecretUpload]:
    """Return the values in `{NAME: {"Key": base64} or {"Cert": base64, "Private": base64}}`.

    Raises:
        SecretFileError: It is not of this form, or names no secret.
    """
    try:
        found = parse_uploads_v1(raw)
    except BodyRefused as error:
        raise SecretFileError("the values cannot be read", found=error.message) from error
    if not found:
        raise SecretFileError("the file names no secret")
    return {
        name: SecretUpload(
            certificate=item.certificate or None, private=item.private or None, key=item.key or None
        )
        for name, item in found.items()
    }


def parse_secret_pem(raw: bytes) -> SecretUpload:
    """Return the first certificate and the first private key of a PEM file.

    The key leaves as PKCS#8, whatever form of PEM it has here.

    Raises:
        SecretFileError: There is no certificate, or a block of another kind.
    """
    certificate: bytes | None = None
    private: bytes | None = None
    for label, der in _blocks(raw):
        if label == "CERTIFICATE":
            certificate = certificate or der
        elif "PRIVATE" in label:
            private = private or _pkcs8(der)
        else:
            raise SecretFileError(
                "the PEM file has a block of another kind", found=label, wanted="CERTIFICATE, PRIVATE KEY"
            )
    if certificate is None:
        raise SecretFileError("the PEM file has no certificate")
    try:
        x509.load_der_x509_certificate(certificate)
    except UNREADABLE as error:
        raise SecretFileError("the certificate cannot be read") from error
    return SecretUpload(certificate=certificate, private=private)


def _blocks(raw: bytes) -> list[tuple[str, bytes]]:
    try:
        return [(label, der) for label, _, der in pem.unarmor(raw, multiple=True)]
    except ValueError as error:
        raise SecretFileError("the file is not PEM", found=error) from error


def _pkcs8(der: bytes) -> bytes:
    try:
        key = load_der_private_key(der, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SecretFileError("the private key cannot be read", wanted="one that is not encrypted") from error
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
