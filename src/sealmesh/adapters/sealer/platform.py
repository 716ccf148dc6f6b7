"""The file `sealed_key`: key-encryption keys under a key that the platform gives to this software only.

`MAGIC | length of the mode (1) | mode | envelope`. In the envelope are one or two keys of 32 bytes: two only
between the steps of giving the owners new shares, the new one first.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sealmesh.errors import SealmeshError
from sealmesh.errors.sealing import SealingError
from sealmesh.errors.store import SealerError
from sealmesh.sealing import KEY_BYTES, NONCE_BYTES, derive_key, seal_record, unseal_record

#: MarbleRun's default (COMPAT, section 8).
DEFAULT_MODE: Final = "ProductKey"
_MAGIC: Final = b"sealmesh sealed key 1\n"
_PURPOSE: Final = "sealed_key"
_MAX_BYTES: Final = 4096

SealKey = Callable[[str], bytes]


class PlatformSealer:
    """Seals with the first of several platform keys, unseals with any.

    Args:
        seal_keys: Each gives 32 bytes for a mode, `ProductKey` or `UniqueKey`: the same bytes for the same
            software on the same platform. Further ones let a new platform read what an older one sealed.
        entropy: Random bytes for nonces.
    """

    def __init__(self, seal_keys: Sequence[SealKey], *, entropy: Callable[[int], bytes]) -> None:
        if not seal_keys:
            raise ValueError("a sealer without a platform key seals nothing")
        self._seal_keys = tuple(seal_keys)
        self._entropy = entropy

    def seal(self, encryption_keys: Sequence[bytes], *, mode: str = DEFAULT_MODE) -> bytes:
        """Return the content of `sealed_key`.

        Raises:
            SealmeshError: The platform gives no key.
        """
        header = _header(mode)
        return header + seal_record(
            derive_key(self._seal_keys[0](mode), _PURPOSE),
            place=header.hex(),
            version=len(encryption_keys),
            plaintext=b"".join(encryption_keys),
            nonce=self._entropy(NONCE_BYTES),
        )

    def unseal(self, content: bytes) -> tuple[bytes, ...]:
        """Return the key-encryption keys in `content`, the newest first.

        Raises:
            SealerError: It was sealed elsewhere or by other software, or is damaged; or the platform gives
                no key.
        """
        mode, envelope = _parse(content)
        reason = ""
        for seal_key in self._seal_keys:
            for count in (1, 2):
                try:
                    return _open(seal_key(mode), _header(mode), envelope, count)
                except SealingError as error:
                    reason = reason or error.message
                except SealmeshError as error:
                    reason = error.message
        raise SealerError("`sealed_key` does not open on this platform with this software", found=reason)


def _header(mode: str) -> bytes:
    return _MAGIC + bytes((len(mode),)) + mode.encode("ascii")


def _parse(content: bytes) -> tuple[str, bytes]:
    start = len(_MAGIC) + 1
    if len(content) > _MAX_BYTES or not content.startswith(_MAGIC) or len(content) < start:
        raise SealerError("`sealed_key` is not a sealed key of this version", found=f"{len(content)} bytes")
    end = start + content[start - 1]
    mode = content[start:end].decode("ascii", "replace")
    if not mode.isalpha() or not mode.isascii():
        raise SealerError("`sealed_key` names no seal mode", found=repr(mode))
    return mode, content[end:]


def _open(platform_key: bytes, header: bytes, envelope: bytes, count: int) -> tuple[bytes, ...]:
    key = derive_key(platform_key, _PURPOSE)
    plain = unseal_record(key, place=header.hex(), version=count, sealed=envelope)
    if len(plain) != count * KEY_BYTES:
        raise SealerError("`sealed_key` holds keys of a wrong length")
    return tuple(plain[at : at + KEY_BYTES] for at in range(0, len(plain), KEY_BYTES))
