"""The file `sealed_key`: key-encryption keys under a key that only some software gets, somewhere.

`MAGIC | kind | mode | recipe | envelope`, with the length of each of the three before it (1, 1 and 2 bytes).
In the envelope are the version of the state that this was written for (8 bytes) and one or two keys of 32
bytes: two only between the steps of giving the owners new shares, the new one first. The envelope is bound
to all that stands before it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sealmesh.adapters.sealer.keys import SealingKeys
from sealmesh.errors import SealmeshError
from sealmesh.errors.store import SealerError, SealModeRefused
from sealmesh.sealing import KEY_BYTES, NONCE_BYTES, derive_key, seal_record, unseal_record

_MAGIC: Final = b"sealmesh sealed key 2\n"
_PURPOSE: Final = "sealed_key"
_FORMAT: Final = 2
_FLOOR_BYTES: Final = 8
_MAX_BYTES: Final = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsealed:
    """What was in `sealed_key`.

    Attributes:
        keys: Key-encryption keys, the newest first.
        floor: The version that the state had when this was written; it never goes below.
        current: Whether sealing again would bind it as it is bound; if not, it should be sealed again.
    """

    keys: tuple[bytes, ...] = field(repr=False)
    floor: int
    current: bool


@dataclass(frozen=True, slots=True)
class _Header:
    kind: str
    mode: str
    recipe: bytes

    def to_bytes(self) -> bytes:
        kind, mode = self.kind.encode("ascii"), self.mode.encode("ascii")
        return b"".join(
            (
                _MAGIC,
                len(kind).to_bytes(1, "big") + kind,
                len(mode).to_bytes(1, "big") + mode,
                len(self.recipe).to_bytes(2, "big") + self.recipe,
            )
        )


class Sealer:
    """Seals with the first of several sources of keys, unseals with any.

    Args:
        sources: Further ones let a Coordinator move: what the old one sealed is read and sealed anew.
        entropy: Random bytes for nonces.
    """

    def __init__(self, sources: Sequence[SealingKeys], *, entropy: Callable[[int], bytes]) -> None:
        if not sources:
            raise ValueError("a sealer without a source of keys seals nothing")
        self._sources = tuple(sources)
        self._entropy = entropy

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that can be kept here."""
        return self._sources[0].modes

    def mode_for(self, wanted: str) -> str:
        """Return the mode to seal in, `wanted` or where that is empty the first that can be kept here.

        Raises:
            SealModeRefused: It cannot be kept here.
        """
        source = self._sources[0]
        kept = (*source.modes, "Disabled")
        if not wanted and source.modes:
            return source.modes[0]
        if wanted not in source.modes:
            raise SealModeRefused(
                f"The SealMode of the manifest cannot be kept by {source.describe()}",
                found=wanted or "none, which means sealed",
                wanted=" or ".join(kept),
                remedy=f'Write "SealMode": "{kept[0]}" under "Config" in the manifest, or start the '
                "Coordinator with another --sealer.",
            )
        return wanted

    def seal(self, encryption_keys: Sequence[bytes], *, mode: str = "", floor: int = 0) -> bytes:
        """Return the content of `sealed_key`.

        Args:
            encryption_keys: One or two keys of 32 bytes.
            mode: `ProductKey` or `UniqueKey`; empty as in `mode_for`.
            floor: The version of the state.

        Raises:
            SealModeRefused: The mode cannot be kept here.
            SealmeshError: There is no key to seal with now.
        """
        source, mode = self._sources[0], self.mode_for(mode)
        fresh = source.fresh(mode)
        header = _Header(source.kind, mode, fresh.recipe).to_bytes()
        return header + seal_record(
            derive_key(fresh.key, _PURPOSE),
            place=header.hex(),
            version=_FORMAT,
            plaintext=floor.to_bytes(_FLOOR_BYTES, "big") + b"".join(encryption_keys),
            nonce=self._entropy(NONCE_BYTES),
        )

    def unseal(self, content: bytes) -> Unsealed:
        """Return what is in `content`.

        Raises:
            SealerError: It was sealed elsewhere or by other software, or is damaged; or there is no key now.
        """
        header, envelope = _parse(content)
        reason = f"sealed by {header.kind!r}, and this Coordinator has {', '.join(self._kinds())}"
        for number, source in enumerate(self._sources):
            if source.kind != header.kind:
                continue
            try:
                key = source.again(header.mode, header.recipe)
                plain = unseal_record(
                    derive_key(key, _PURPOSE),
                    place=header.to_bytes().hex(),
                    version=_FORMAT,
                    sealed=envelope,
                )
            except SealmeshError as error:
                reason = f"{error.message}: {error.found}" if error.found else error.message
            else:
                return _unsealed(plain, current=number == 0 and source.current(header.mode, header.recipe))
        raise SealerError("`sealed_key` does not open on this platform with this software", found=reason)

    def describe(self) -> str:
        """Return one phrase for people."""
        return self._sources[0].describe()

    def _kinds(self) -> list[str]:
        return sorted({repr(source.kind) for source in self._sources})


def _parse(content: bytes) -> tuple[_Header, bytes]:
    if len(content) > _MAX_BYTES or not content.startswith(_MAGIC):
        raise SealerError("`sealed_key` is not a sealed key of this version", found=f"{len(content)} bytes")
    kind, rest = _part(content[len(_MAGIC) :], 1)
    mode, rest = _part(rest, 1)
    recipe, envelope = _part(rest, 2)
    if not kind.isalnum() or not mode.isalpha():
        raise SealerError("`sealed_key` does not say how it is sealed")
    return _Header(kind.decode("ascii", "replace"), mode.decode("ascii", "replace"), recipe), envelope


def _part(data: bytes, width: int) -> tuple[bytes, bytes]:
    end = width + int.from_bytes(data[:width], "big")
    if len(data) < end or len(data) < width:
        raise SealerError("`sealed_key` is cut off")
    return data[width:end], data[end:]


def _unsealed(plain: bytes, *, current: bool) -> Unsealed:
    keys = plain[_FLOOR_BYTES:]
    if len(plain) < _FLOOR_BYTES or len(keys) not in (KEY_BYTES, 2 * KEY_BYTES):
        raise SealerError("`sealed_key` holds keys of a wrong length")
    return Unsealed(
        keys=tuple(keys[at : at + KEY_BYTES] for at in range(0, len(keys), KEY_BYTES)),
        floor=int.from_bytes(plain[:_FLOOR_BYTES], "big"),
        current=current,
    )
