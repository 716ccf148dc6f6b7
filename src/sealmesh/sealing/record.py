"""Envelopes: AES-256-GCM bound to a place, a version and this format.

`FORMAT (1) | nonce (24) | ciphertext | tag (16)`. The additional data is the format's name, the version and
the place, so an envelope opens only where, and as what, it was sealed.

The first half of the nonce makes a key of its own (HMAC-SHA256), the second is the nonce of GCM (NIST SP
800-38D). With plain 96-bit random nonces one key would be good for 2**32 envelopes, which a busy Coordinator
reaches in weeks; so it is good for ever.
"""

import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealmesh.errors.sealing import SealingError

FORMAT: Final = 1
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 24
#: What an envelope is longer than its plaintext.
OVERHEAD_BYTES: Final = 1 + NONCE_BYTES + 16
#: The largest record; a manifest of that size is far beyond what the Coordinator accepts.
MAX_PLAINTEXT_BYTES: Final = 64 * 1024 * 1024

_KEY_LABEL: Final = b"sealmesh envelope key 1\0"
_DATA_LABEL: Final = b"sealmesh envelope 1\0"
_HALF: Final = 12


def seal_record(key: bytes, *, place: str, version: int, plaintext: bytes, nonce: bytes) -> bytes:
    """Seal `plaintext` so that it opens only with `key`, at `place`, as `version`.

    Args:
        key: 32 bytes.
        place: The name of the record; names of different kinds of records must not collide.
        version: 0 to 2**64-1.
        plaintext: At most 64 MiB.
        nonce: 24 random bytes, never used before.

    Raises:
        ValueError: A key or nonce of another length, or a plaintext that is too long: our own fault.
    """
    if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES or len(plaintext) > MAX_PLAINTEXT_BYTES:
        raise ValueError("key, nonce or plaintext has not the length it must have")
    sealed = _cipher(key, nonce).encrypt(nonce[_HALF:], plaintext, _bound_to(place, version))
    return bytes((FORMAT,)) + nonce + sealed


def unseal_record(key: bytes, *, place: str, version: int, sealed: bytes) -> bytes:
    """Return the plaintext that was sealed with `key` at `place` as `version`.

    Raises:
        SealingError: It was not, or somebody changed it.
    """
    if len(sealed) < OVERHEAD_BYTES or sealed[0] != FORMAT:
        raise SealingError("Not a sealed record of this format", found=f"{len(sealed)} bytes at {place!r}")
    nonce = sealed[1 : 1 + NONCE_BYTES]
    try:
        return _cipher(key, nonce).decrypt(
            nonce[_HALF:], sealed[1 + NONCE_BYTES :], _bound_to(place, version)
        )
    except InvalidTag as error:
        raise SealingError(
            "A sealed record does not open",
            found=f"{place!r}, version {version}",
            wanted="what was sealed there",
        ) from error


def _cipher(key: bytes, nonce: bytes) -> AESGCM:
    return AESGCM(hmac.digest(key, _KEY_LABEL + nonce[:_HALF], "sha256"))


def _bound_to(place: str, version: int) -> bytes:
    return _DATA_LABEL + version.to_bytes(8, "big") + place.encode()
