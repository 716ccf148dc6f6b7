"""One secret's value, and how it is stored."""

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from typing import Any

from sealmesh.errors.provisioning import SecretCorrupt
from sealmesh.manifest import SecretDefinition, SecretType

__all__ = ["Secret"]

_FORMAT = 1
_FLAGS = ("shared", "user_defined")
_NUMBERS = ("size", "valid_for")
_BYTES = ("private", "public")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """The value of one of the manifest's secrets (COMPAT sections 4 and 9).

    Attributes:
        size: Bits, as the manifest says.
        cert: DER, None where there is none.
        valid_for: Days, 0 where the manifest fixes the end or nothing ends.
        private: The value of keys and plain secrets; PKCS #8 DER of certificates.
        public: The same value for keys and plain secrets; PKIX DER of certificates.
    """

    type: SecretType
    size: int = 0
    shared: bool = False
    user_defined: bool = False
    cert: bytes | None = None
    valid_for: int = 0
    private: bytes = field(default=b"", repr=False)
    public: bytes = field(default=b"", repr=False)

    @classmethod
    def of(
        cls,
        definition: SecretDefinition,
        *,
        private: bytes,
        public: bytes | None = None,
        cert: bytes | None = None,
        valid_for: int | None = None,
    ) -> "Secret":
        """Return the secret that `definition` describes, with this value; `public` defaults to `private`."""
        return cls(
            type=definition.type,
            size=definition.size,
            shared=definition.shared,
            user_defined=definition.user_defined,
            cert=cert,
            valid_for=definition.valid_for if valid_for is None else valid_for,
            private=private,
            public=private if public is None else public,
        )

    @classmethod
    def unset(cls, definition: SecretDefinition) -> "Secret":
        """Return a user-defined secret before anybody uploaded it."""
        return cls.of(definition, private=b"")

    def to_bytes(self) -> bytes:
        """Return the stored form; it holds the private part, so it must be sealed."""
        document: dict[str, Any] = {"format": _FORMAT, "type": self.type.value}
        document |= {name: getattr(self, name) for name in (*_FLAGS, *_NUMBERS)}
        document |= {name: _text(getattr(self, name)) for name in _BYTES}
        document["cert"] = None if self.cert is None else _text(self.cert)
        return _canonical(document)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Secret":
        """Read exactly what `to_bytes` wrote.

        Raises:
            SecretCorrupt: It is anything else.
        """
        try:
            document = json.loads(stored)
            secret = cls._read(document)
        except (ValueError, KeyError, TypeError, RecursionError, Base64Error):
            raise SecretCorrupt("a stored secret cannot be read") from None
        if secret.to_bytes() != stored:
            raise SecretCorrupt("a stored secret is not in its canonical form")
        return secret

    @classmethod
    def _read(cls, document: dict[str, Any]) -> "Secret":
        if any(type(document[name]) is not int or document[name] < 0 for name in _NUMBERS):
            raise ValueError("not a number")
        if any(type(document[name]) is not bool for name in _FLAGS):
            raise ValueError("not a flag")
        cert = document["cert"]
        return cls(
            type=SecretType(document["type"]),
            size=document["size"],
            shared=document["shared"],
            user_defined=document["user_defined"],
            cert=None if cert is None else b64decode(cert, validate=True),
            valid_for=document["valid_for"],
            private=b64decode(document["private"], validate=True),
            public=b64decode(document["public"], validate=True),
        )


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
