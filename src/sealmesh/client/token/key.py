"""A private key in a token: it signs and decrypts there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import pkcs11
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import MGF, Attribute, KeyType, Mechanism, ObjectClass

from sealmesh.client.token.oaep import remove_oaep_padding
from sealmesh.client.token.place import Place
from sealmesh.errors.client import TokenError
from sealmesh.errors.sealing import ShareError

#: Opens a session with the token, logged in; a context manager.
Sessions: TypeAlias = Callable[[], AbstractContextManager[Any]]
_SHA = {
    "sha256": (Mechanism.SHA256, MGF.SHA256),
    "sha384": (Mechanism.SHA384, MGF.SHA384),
    "sha512": (Mechanism.SHA512, MGF.SHA512),
}
_OAEP_UNKNOWN = (
    pkcs11.exceptions.MechanismInvalid,
    pkcs11.exceptions.MechanismParamInvalid,
    pkcs11.exceptions.ArgumentsBad,
    pkcs11.exceptions.FunctionNotSupported,
)


class TokenKey:
    """An RSA or EC key of a token. Every act opens a session of its own."""

    def __init__(self, sessions: Sessions, place: Place) -> None:
        self._sessions = sessions
        self.place = place

    def sign(self, message: bytes) -> bytes:
        """Return a signature over SHA-256 of `message`: PKCS #1 v1.5, or for EC keys ECDSA (ASN.1).

        Raises:
            TokenError: The token does not sign.
        """
        return self._use(lambda key: _sign_message(key, message))

    def sign_digest(self, digest: bytes, hash_name: str) -> bytes:
        """Return a signature over a digest: RSASSA-PSS with a salt as long as it, or ECDSA (ASN.1).

        Raises:
            TokenError: The token does not sign.
        """
        return self._use(lambda key: _sign_digest(key, digest, hash_name))

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plain text of RSA-OAEP with SHA-256 and no label.

        Tokens that know OAEP with SHA-1 only do the RSA operation alone; the padding is then removed here.

        Raises:
            ShareError: It was encrypted for another key, or damaged.
            TokenError: The token does not decrypt.
        """
        return self._use(lambda key: _decrypt(key, ciphertext))

    def _use(self, act: Callable[[Any], bytes]) -> bytes:
        with self._sessions() as session:
            return act(find_one(session, ObjectClass.PRIVATE_KEY, self.place, "private key"))


def find_one(session: Any, kind: ObjectClass, place: Place, what: str) -> Any:
    """Return the one object of `kind` at `place`.

    Raises:
        TokenError: There is none, or several.
    """
    found = _objects(session, kind, place.key_id, place.label)
    if not found and place.or_id is not None:
        found = _objects(session, kind, place.or_id, place.label)
    if len(found) != 1:
        raise TokenError(
            f"the token has not exactly one such {what}", found=f"{len(found)} with {place}", wanted="one"
        )
    return found[0]


def _objects(session: Any, kind: ObjectClass, key_id: bytes | None, label: str | None) -> list[Any]:
    given = {Attribute.CLASS: kind, Attribute.ID: key_id, Attribute.LABEL: label}
    return list(session.get_objects({name: value for name, value in given.items() if value is not None}))


def _sign_message(key: Any, message: bytes) -> bytes:
    if key.key_type == KeyType.RSA:
        return bytes(key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS))
    from hashlib import sha256

    return _ecdsa(key, sha256(message).digest())


def _sign_digest(key: Any, digest: bytes, hash_name: str) -> bytes:
    if key.key_type != KeyType.RSA:
        return _ecdsa(key, digest)
    mechanism, mask = _SHA[hash_name]
    parameter = (mechanism, mask, len(digest))
    return bytes(key.sign(digest, mechanism=Mechanism.RSA_PKCS_PSS, mechanism_param=parameter))


def _ecdsa(key: Any, digest: bytes) -> bytes:
    pair = bytes(key.sign(digest, mechanism=Mechanism.ECDSA))
    half = len(pair) // 2
    return encode_dss_signature(int.from_bytes(pair[:half], "big"), int.from_bytes(pair[half:], "big"))


def _decrypt(key: Any, ciphertext: bytes) -> bytes:
    # For a larger number (RFC 8017, 5.1.2) SoftHSM has no other word than that something is wrong in general.
    if int.from_bytes(ciphertext, "big") >= int.from_bytes(bytes(key[Attribute.MODULUS]), "big"):
        raise ShareError("The encrypted recovery secret does not open", code="recovery-share-encryption")
    parameter = (Mechanism.SHA256, MGF.SHA256, None)
    try:
        return bytes(key.decrypt(ciphertext, mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=parameter))
    except _OAEP_UNKNOWN:
        return _decrypt_in_two_steps(key, ciphertext)
    except pkcs11.exceptions.EncryptedDataInvalid as error:
        raise ShareError(
            "The encrypted recovery secret does not open", code="recovery-share-encryption"
        ) from error


def _decrypt_in_two_steps(key: Any, ciphertext: bytes) -> bytes:
    try:
        block = bytes(key.decrypt(ciphertext, mechanism=Mechanism.RSA_X_509))
        return remove_oaep_padding(block.rjust(len(ciphertext), b"\0"))
    except (
        ValueError,
        pkcs11.exceptions.EncryptedDataInvalid,
        pkcs11.exceptions.EncryptedDataLenRange,
    ) as error:
        raise ShareError(
            "The encrypted recovery secret does not open", code="recovery-share-encryption"
        ) from error
