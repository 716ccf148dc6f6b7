"""Shares on their way to and from their owners (RFC 8017: RSAES-OAEP and RSASSA-PKCS1-v1_5; COMPAT, 11)."""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sealmesh.errors.sealing import ShareError

_OAEP: Final = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


def wrap_share(share: bytes, owner: rsa.RSAPublicKey) -> bytes:
    """Encrypt `share` so that only its owner can read it: OAEP, SHA-256, no label.

    Raises:
        ShareError: The owner's key is too small to carry it.
    """
    try:
        return owner.encrypt(share, _OAEP)
    except ValueError as error:
        raise ShareError(
            "A recovery key is too small for a recovery secret",
            found=f"{owner.key_size} bits",
            wanted="2048 or more",
        ) from error


def unwrap_share(wrapped: bytes, key: rsa.RSAPrivateKey) -> bytes:
    """Decrypt what `wrap_share` encrypted.

    Raises:
        ShareError: It was encrypted for another key, or damaged.
    """
    try:
        return key.decrypt(wrapped, _OAEP)
    except ValueError as error:
        raise ShareError(
            "The encrypted recovery secret does not open", code="recovery-share-encryption"
        ) from error


def verify_share_signature(share: bytes, signature: bytes, owner: rsa.RSAPublicKey) -> None:
    """Accept `share` only with its owner's signature: PKCS #1 v1.5, SHA-256, over the plain share.

    Raises:
        ShareError: The signature is another's, or none.
    """
    try:
        owner.verify(signature, share, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise ShareError(
            "The recovery secret is not signed by its owner", code="recovery-share-signature"
        ) from error
