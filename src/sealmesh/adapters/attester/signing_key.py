"""Keys that sign packages: RSA-3072 with exponent 3, in PEM."""

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from sealmesh.attestation.simulated import signer_id
from sealmesh.attestation.simulated.signature import EXPONENT, KEY_BITS
from sealmesh.errors.attestation import PackageError

_REMEDY = "Make one with: openssl genrsa -3 -out private.pem 3072"


def generate_signing_key() -> rsa.RSAPrivateKey:
    """Return a new key; takes some tenths of a second."""
    return rsa.generate_private_key(public_exponent=EXPONENT, key_size=KEY_BITS)


def encode_signing_key(key: rsa.RSAPrivateKey) -> bytes:
    """Return the private key in PEM (PKCS#1, as `openssl genrsa` and EGo write it)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def parse_signing_key(pem: bytes, *, name: str) -> rsa.RSAPrivateKey:
    """Return the private key in `pem`.

    Raises:
        PackageError: `package:key`, not a key, encrypted, or of another kind.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PackageError(
            f"{name} is not an unencrypted private key in PEM", code="package:key", remedy=_REMEDY
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise PackageError(f"{name} is not an RSA key", code="package:key", remedy=_REMEDY)
    signer_id(key.public_key())
    return key


def load_or_generate(path: Path) -> tuple[rsa.RSAPrivateKey, str | None]:
    """Return the key in a file; where there is none, make it, as EGo does.

    Returns:
        The key, and a sentence for the user when it was made.

    Raises:
        PackageError: The file cannot be read or written, or holds something else.
    """
    try:
        return parse_signing_key(path.read_bytes(), name=str(path)), None
    except FileNotFoundError:
        pass
    except OSError as error:
        raise PackageError(
            f"the signing key {path} cannot be read", code="package:key", found=error.strerror
        ) from error
    key = generate_signing_key()
    public = path.with_name("public.pem" if path.name == "private.pem" else f"{path.stem}.pub.pem")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(encode_signing_key(key))
        public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    except OSError as error:
        raise PackageError(
            f"a new signing key cannot be written to {path}", code="package:key", found=error.strerror
        ) from error
    return key, f"There was no signing key: made a new one, {path}, with its public part in {public}."


def signer_id_of_pem(pem: bytes, *, name: str) -> bytes:
    """Return the SignerID of a private or public key in PEM.

    Raises:
        PackageError: `package:key`.
    """
    if b"PRIVATE KEY-----" in pem:
        return signer_id(parse_signing_key(pem, name=name).public_key())
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PackageError(f"{name} is not a key in PEM", code="package:key", remedy=_REMEDY) from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise PackageError(f"{name} is not an RSA key", code="package:key", remedy=_REMEDY)
    return signer_id(key)
