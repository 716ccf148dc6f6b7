"""Recovery secrets in their owners' hands: opened, signed, encrypted to a Coordinator. No network.

An owner's key may be a PEM file (`ShareKeyFile`) or in an HSM (`sealmesh.client.token.TokenKey`): whatever
decrypts and signs.
"""

import base64
import json
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from sealmesh.errors.client import ShareKeyError
from sealmesh.errors.sealing import ShareError
from sealmesh.sealing.owners import unwrap_share, wrap_share

#: A plain secret has one of these lengths in bytes; anything else is encrypted (COMPAT section 11).
PLAIN_LENGTHS = frozenset({16, 32, 33})


class ShareKey(Protocol):
    """An owner's private recovery key (RSA)."""

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plain secret: RSA-OAEP, SHA-256, no label."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature: RSA PKCS #1 v1.5, SHA-256."""
        ...


class ShareKeyFile:
    """An owner's private key from PEM."""

    def __init__(self, pem: bytes) -> None:
        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ShareKeyError("the recovery key cannot be read", found=error) from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ShareKeyError("the recovery key is of another kind", found=type(key).__name__, wanted="RSA")
        self._key = key

    @classmethod
    def read(cls, path: Path) -> "ShareKeyFile":
        """Read the file `path`.

        Raises:
            ShareKeyError: It cannot be read, or holds no RSA key.
        """
        try:
            return cls(path.read_bytes())
        except OSError as error:
            raise ShareKeyError(
                "the recovery key cannot be read", found=f"{path}: {error.strerror}"
            ) from error

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plain secret.

        Raises:
            ShareError: It was encrypted for another key, or damaged.
        """
        return unwrap_share(ciphertext, self._key)

    def sign(self, message: bytes) -> bytes:
        """Return the signature."""
        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def open_share(share: bytes, key: ShareKey | None) -> bytes:
    """Return the plain secret of `share`.

    Args:
        share: The secret, encrypted as it was handed out, or plain; or the whole recovery data (JSON), of
            which the one that `key` opens is taken.
        key: Its owner's key; not needed for a plain one.

    Raises:
        ShareError: It is encrypted and `key` does not open it, or there is none.
    """
    if len(share) in PLAIN_LENGTHS:
        return share
    if key is None:
        raise ShareError(
            "the recovery secret is encrypted", found=f"{len(share)} bytes", wanted="its owner's key"
        )
    *others, last = _candidates(share)
    for candidate in others:
        try:
            return key.decrypt(candidate)
        except ShareError:
            continue  # another owner's
    return key.decrypt(last)


def _candidates(share: bytes) -> list[bytes]:
    """Return the secrets in `share` if it is recovery data, otherwise itself."""
    try:
        secrets = json.loads(share)["RecoverySecrets"]
        return [base64.b64decode(item, validate=True) for item in secrets.values()] or [share]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return [share]


def encrypt_share(plain: bytes, recovery_key: bytes) -> bytes:
    """Encrypt a plain secret to a Coordinator's recovery key (PEM or DER): RSA-OAEP, SHA-256.

    Raises:
        ShareKeyError: `recovery_key` is no RSA public key.
    """
    try:
        load = load_pem_public_key if recovery_key.lstrip().startswith(b"-----") else load_der_public_key
        key = load(recovery_key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ShareKeyError("the Coordinator's recovery key cannot be read") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise ShareKeyError("the Coordinator's recovery key is of another kind", wanted="RSA")
    return wrap_share(plain, key)
