"""Who acts: the options that name a user's certificate and key, or the owner of a recovery key."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealmesh.errors.cli import UsageError

if TYPE_CHECKING:
    from sealmesh.client import ShareKey, User

_FILES = "--cert FILE and --key FILE"
_HSM = "--pkcs11-config FILE with --pkcs11-key-id or --pkcs11-key-label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The options that say which user acts: files, or a PKCS#11 token, or a file and a token's key."""

    cert: Path | None = None
    key: Path | None = None
    pkcs11_config: Path | None = None
    pkcs11_key_id: str | None = None
    pkcs11_key_label: str | None = None
    pkcs11_cert_id: str | None = None
    pkcs11_cert_label: str | None = None

    def user(self) -> "User":
        """Return the user.

        Raises:
            UsageError: Too little was said, or two things at once.
            ClientError: The files or the token cannot be used.
        """
        if self.pkcs11_config is not None:
            return self._token_user(self.pkcs11_config)
        if self.cert is None or self.key is None:
            missing = "--cert" if self.cert is None else "--key"
            raise UsageError("this acts as a user", found=f"no {missing}", wanted=f"{_FILES}, or {_HSM}")
        from sealmesh.client import read_user

        return read_user(self.cert, self.key)

    def _token_user(self, config: Path) -> "User":
        if self.key is not None:
            raise UsageError("--key and --pkcs11-config exclude each other", wanted=f"{_FILES}, or {_HSM}")
        from sealmesh.cli.files import read_file
        from sealmesh.client.token import Place, open_token

        token = open_token(config)
        return token.user(
            Place.parse(key_id=self.pkcs11_key_id, label=self.pkcs11_key_label),
            certificate=Place.parse(key_id=self.pkcs11_cert_id, label=self.pkcs11_cert_label),
            chain_pem=None if self.cert is None else read_file(self.cert),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareKeyChoice:
    """The options that say whose recovery key: a file or a PKCS#11 token."""

    key: Path | None = None
    pkcs11_config: Path | None = None
    pkcs11_key_id: str | None = None
    pkcs11_key_label: str | None = None

    def load(self) -> "ShareKey | None":
        """Return the key, None if none was named.

        Raises:
            UsageError: Two were named.
            ClientError: It cannot be used.
        """
        if self.key is not None and self.pkcs11_config is not None:
            raise UsageError("--key and --pkcs11-config exclude each other", wanted="one of them")
        if self.pkcs11_config is not None:
            from sealmesh.client.token import Place, open_token

            place = Place.parse(key_id=self.pkcs11_key_id, label=self.pkcs11_key_label)
            return open_token(self.pkcs11_config).key(place)
        from sealmesh.client import ShareKeyFile

        return None if self.key is None else ShareKeyFile.read(self.key)

    def require(self) -> "ShareKey":
        """Return the key; as `load` otherwise."""
        found = self.load()
        if found is None:
            raise UsageError("this needs the owner's recovery key", wanted=f"--key FILE, or {_HSM}")
        return found
