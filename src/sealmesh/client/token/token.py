"""A PKCS#11 token, opened by its configuration file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import Attribute, KeyType, ObjectClass
from pkcs11.util.ec import encode_ec_public_key
from pkcs11.util.rsa import encode_rsa_public_key

from sealmesh.client.token.configuration import PIN_VARIABLE, TokenConfiguration, parse_token_configuration
from sealmesh.client.token.key import TokenKey, find_one
from sealmesh.client.token.place import Place
from sealmesh.client.token.user import TokenUser
from sealmesh.errors.client import TokenError
from sealmesh.pki.reading import UNREADABLE


def open_token(path: Path) -> "Token":
    """Return the token that the file `path` names; nothing is asked of it yet.

    Raises:
        TokenError: The file cannot be read, or is no configuration.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TokenError(
            "the token's configuration cannot be read", found=f"{path}: {error.strerror}"
        ) from error
    return Token(parse_token_configuration(raw, pin=os.environ.get(PIN_VARIABLE, "")))


class Token:
    """A token: an HSM's partition, or a card."""

    def __init__(self, configuration: TokenConfiguration) -> None:
        self._configuration = configuration

    def key(self, place: Place | None) -> TokenKey:
        """Return the private key at `place`; it is looked up when it is used.

        Raises:
            TokenError: No place is given.
        """
        return TokenKey(self._session, place or Place())

    def public_key(self, place: Place) -> bytes:
        """Return the public key at `place` as DER: PKCS #1 for RSA, else SubjectPublicKeyInfo.

        Raises:
            TokenError: There is none, or several.
        """
        with self._session() as session:
            found = find_one(session, ObjectClass.PUBLIC_KEY, place, "public key")
            rsa = found.key_type == KeyType.RSA
            return bytes(encode_rsa_public_key(found) if rsa else encode_ec_public_key(found))

    def user(
        self, place: Place | None, *, certificate: Place | None = None, chain_pem: bytes | None = None
    ) -> TokenUser:
        """Return the user whose key is at `place`.

        Args:
            place: The private key's.
            certificate: The certificate's, by default the same as the key's.
            chain_pem: The certificate (chain), where it is not in the token.

        Raises:
            TokenError: No place is given, or the certificate is not there.
        """
        key = self.key(place)
        shown = self._certificate(certificate or key.place) if chain_pem is None else chain_pem
        return TokenUser(chain_pem=shown, key=key)

    def _certificate(self, place: Place) -> bytes:
        with self._session() as session:
            der = bytes(find_one(session, ObjectClass.CERTIFICATE, place, "certificate")[Attribute.VALUE])
        try:
            return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
        except UNREADABLE as error:
            raise TokenError("the token's certificate cannot be read", found=place) from error

    @contextmanager
    def _session(self) -> Iterator[Any]:
        wanted = self._configuration
        try:
            with self._open_token().open(user_pin=wanted.pin or None) as session:
                yield session
        except pkcs11.exceptions.PinIncorrect as error:
            raise TokenError(
                "the token refuses the PIN", code="token-pin",
                remedy="Correct it before you try again: tokens lock after a few wrong ones.",
            ) from error  # fmt: skip
        except pkcs11.exceptions.PKCS11Error as error:
            raise TokenError("the token refuses", found=type(error).__name__) from error

    def _open_token(self) -> Any:
        wanted = self._configuration
        try:
            library = pkcs11.lib(str(wanted.library))
            if wanted.slot is not None:
                return next(s for s in library.get_slots() if s.slot_id == wanted.slot).get_token()
            serial = None if wanted.serial is None else wanted.serial.encode()
            return library.get_token(token_label=wanted.label, token_serial=serial)
        except (StopIteration, pkcs11.exceptions.NoSuchToken, pkcs11.exceptions.SlotIDInvalid) as error:
            name = wanted.label or wanted.serial or wanted.slot
            raise TokenError(
                "there is no such token", found=name, wanted=f"one of {wanted.library}"
            ) from error
        except (RuntimeError, OSError) as error:
            raise TokenError(
                "the PKCS#11 library cannot be used", found=f"{wanted.library}: {error}"
            ) from error
