"""The hierarchy: platform key -> key-encryption key (KEK) -> data-encryption key (DEK) -> records.

The platform (or the owners, by recovery) gives back the KEK; the KEK opens the DEK, which lies beside the
records; the DEK opens the records. A new KEK makes all shares of the old one worthless.
"""

import hmac
from typing import Final

from sealmesh.errors.sealing import SealingError
from sealmesh.sealing.record import KEY_BYTES, seal_record, unseal_record

_WRAP_PLACE: Final = "data-encryption-key"
_ID_LABEL: Final = b"sealmesh key id 1"
KEY_ID_BYTES: Final = 16


def wrap_key(encryption_key: bytes, data_key: bytes, *, generation: int, nonce: bytes) -> bytes:
    """Seal `data_key` (32 bytes) under `encryption_key` (32 bytes), as its `generation`."""
    return seal_record(encryption_key, place=_WRAP_PLACE, version=generation, plaintext=data_key, nonce=nonce)


def unwrap_key(encryption_key: bytes, wrapped: bytes, *, generation: int) -> bytes:
    """Return the 32-byte data key that `wrap_key` sealed.

    Raises:
        SealingError: Another key or generation, or damaged.
    """
    data_key = unseal_record(encryption_key, place=_WRAP_PLACE, version=generation, sealed=wrapped)
    if len(data_key) != KEY_BYTES:
        raise SealingError("The wrapped key has a wrong length", found=len(data_key), wanted=KEY_BYTES)
    return data_key


def key_id(key: bytes) -> bytes:
    """Return 16 bytes that tell one key from another and nothing about it."""
    return hmac.digest(key, _ID_LABEL, "sha256")[:KEY_ID_BYTES]


def derive_key(key: bytes, purpose: str) -> bytes:
    """Return a 32-byte key for one purpose, independent of those for others."""
    return hmac.digest(key, b"sealmesh derived key 1\0" + purpose.encode(), "sha256")
