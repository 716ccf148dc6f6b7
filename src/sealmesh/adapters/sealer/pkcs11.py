"""Keys that a token (HSM, smart card) computes with a key that never leaves it.

The token has a generic secret; the key is `HMAC-SHA256(secret, purpose | mode | salt)` (PKCS #11 v2.40,
`CKM_SHA256_HMAC`) and the salt is the recipe. A computation with no ciphertext gives nobody an oracle.

A token knows a PIN, no software. So whoever reaches it with the PIN gets the key: `ProductKey` here means
that updates of the Coordinator keep the state, and that the PIN goes only to software that may have it.
`UniqueKey` means nothing to a token and is refused.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from sealmesh.adapters.sealer.keys import PRODUCT_KEY, SealingKey
from sealmesh.errors.store import SealerError, TokenError
from sealmesh.sealing import KEY_BYTES

_PURPOSE: Final = b"sealmesh sealing key 1\0"
_SALT_BYTES: Final = 32
_SECRET_BITS: Final = 256
#: The module is one for the whole process, and so is its initialization.
_LOCK: Final = threading.Lock()
_initialized_by: dict[Path, int] = {}
#: A token locks itself after a few wrong PINs, and a Coordinator starts several processes.
_wrong_pins: set[tuple["TokenKey", bytes]] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """Where the secret is.

    Attributes:
        module: The token's PKCS #11 library.
        token: The token's label.
        label: The secret's label.
        pin_file: Holds the user's PIN, with or without a newline.
    """

    module: Path
    token: str
    label: str
    pin_file: Path


class TokenKeys:
    """Keys that survive updates of the Coordinator (`ProductKey`).

    Args:
        where: Token and secret. The secret is made, not extractable, by the first sealing that finds none.
        entropy: Random bytes for salts.

    Raises:
        TokenError: The library is not installed.
    """

    kind: Final = "pkcs11"
    modes: Final = (PRODUCT_KEY,)

    def __init__(self, where: TokenKey, *, entropy: Callable[[int], bytes]) -> None:
        try:
            import pkcs11
        except ImportError as error:
            raise TokenError(
                "The library for PKCS #11 is not there", found=str(error), remedy="Install sealmesh[hsm]."
            ) from error
        self._pkcs11: Any = pkcs11
        self._where = where
        self._entropy = entropy

    def fresh(self, mode: str) -> SealingKey:
        """Return the key of a new salt.

        Raises:
            SealerError: Another mode.
            TokenError: The token refuses.
        """
        salt = self._entropy(_SALT_BYTES)
        return SealingKey(key=self._computed(mode, salt, may_make=True), recipe=salt)

    def again(self, mode: str, recipe: bytes) -> bytes:
        """Return the key of a salt.

        Raises:
            SealerError: Another mode, or no salt.
            TokenError: The token refuses or has no such secret.
        """
        return self._computed(mode, recipe, may_make=False)

    def current(self, mode: str, recipe: bytes) -> bool:
        """Tell whether there is such a key: always, there is only one secret."""
        del mode, recipe
        return True

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"the secret {self._where.label!r} of the PKCS #11 token {self._where.token!r}"

    def _computed(self, mode: str, salt: bytes, *, may_make: bool) -> bytes:
        if mode != PRODUCT_KEY or len(salt) != _SALT_BYTES:
            raise SealerError("`sealed_key` names no key that a token computes", found=mode)
        message = _PURPOSE + mode.encode("ascii") + b"\0" + salt
        with self._session(writing=may_make) as session:
            key = self._secret(session, may_make=may_make).sign(
                message, mechanism=self._pkcs11.Mechanism.SHA256_HMAC
            )
        if len(key) != KEY_BYTES:
            raise TokenError("The token computed a key of a wrong length", found=f"{len(key)} bytes")
        return bytes(key)

    def _secret(self, session: Any, *, may_make: bool) -> Any:
        lib, label = self._pkcs11, self._where.label
        try:
            return session.get_key(
                object_class=lib.ObjectClass.SECRET_KEY, key_type=lib.KeyType.GENERIC_SECRET, label=label
            )
        except lib.exceptions.NoSuchKey:
            if not may_make:
                raise
        return session.generate_key(
            lib.KeyType.GENERIC_SECRET,
            _SECRET_BITS,
            label=label,
            store=True,
            capabilities=lib.MechanismFlag.SIGN | lib.MechanismFlag.VERIFY,
            template={lib.Attribute.SENSITIVE: True, lib.Attribute.EXTRACTABLE: False},
        )

    @contextmanager
    def _session(self, *, writing: bool) -> Iterator[Any]:
        where = self._where
        try:
            pin = where.pin_file.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise TokenError("The file with the token's PIN cannot be read", found=str(error)) from error
        with _LOCK:
            attempt = (where, sha256(pin.encode()).digest())
            if attempt in _wrong_pins:
                raise TokenError("The token's PIN was wrong already and is not tried again")
            try:
                token = self._module().get_token(token_label=where.token)
                with token.open(user_pin=pin, rw=writing) as session:
                    yield session
            except self._pkcs11.exceptions.PinIncorrect as error:
                _wrong_pins.add(attempt)
                raise TokenError(
                    "The token's PIN is wrong", found=f"PinIncorrect, {where.pin_file}"
                ) from error
            except (self._pkcs11.exceptions.PKCS11Error, RuntimeError) as error:
                raise TokenError(
                    "The PKCS #11 token refuses or cannot be reached",
                    found=f"token {where.token!r}, secret {where.label!r}: "
                    f"{type(error).__name__} {error}".rstrip(),
                ) from error

    def _module(self) -> Any:
        path = self._where.module
        module = self._pkcs11.lib(str(path))
        if _initialized_by.setdefault(path, os.getpid()) != os.getpid():
            # PKCS #11 v2.40, 2.5.2: after a fork the child has to initialize the module itself.
            module.reinitialize()
            _initialized_by[path] = os.getpid()
        return module
