"""Secrets as users read and write them. Both need a user with the permission."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sealmesh.client import first_api
from sealmesh.client.answers import member, optional_bytes
from sealmesh.client.exchange import V2, Exchange, b64, get, post
from sealmesh.client.first_api import FirstApi, asked, done
from sealmesh.errors.client import AnswerError

_SECRETS = f"{V2}/secrets"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretValue:
    """One secret. For symmetric keys and plain values `private` and `public` are both the value.

    Attributes:
        size: In bits.
        certificate: DER.
        valid_for: In days.
        private: The value; of certificates PKCS#8 DER. None is what was never set.
        public: Of certificates SubjectPublicKeyInfo DER.
    """

    type: str
    size: int
    shared: bool
    user_defined: bool
    valid_for: int
    certificate: bytes | None = None
    private: bytes | None = field(default=None, repr=False)
    public: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUpload:
    """A value for a user-defined secret: `key` for symmetric and plain ones, the others for certificates.

    Attributes:
        certificate: DER.
        private: PKCS#8 DER.
    """

    certificate: bytes | None = None
    private: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)

    def document(self) -> dict[str, str]:
        """Return it as the Coordinator takes it."""
        members = {"Cert": self.certificate, "Private": self.private, "Key": self.key}
        return {name: b64(value) for name, value in members.items() if value is not None}


def read_secrets(*names: str) -> Exchange[Mapping[str, SecretValue]]:
    """Return the secrets `names`, all or none."""
    query = tuple(("s", name) for name in names)
    first = FirstApi(request=get("/secrets", *query), members=first_api.secrets)
    found = member((yield from asked(get(_SECRETS, *query), first)), "secrets", dict)
    return {str(name): _secret(value) for name, value in found.items()}


def write_secrets(uploads: Mapping[str, SecretUpload]) -> Exchange[None]:
    """Set user-defined secrets, all or none."""
    documents = {name: upload.document() for name, upload in uploads.items()}
    yield from done(post(_SECRETS, {"secrets": documents}), post("/secrets", documents))


def _secret(members: Any) -> SecretValue:
    if not isinstance(members, dict):
        raise AnswerError("a secret of the answer is not an object", found=type(members).__name__)
    return SecretValue(
        type=member(members, "Type", str),
        size=member(members, "Size", int),
        shared=member(members, "Shared", bool),
        user_defined=member(members, "UserDefined", bool),
        valid_for=member(members, "ValidFor", int),
        certificate=optional_bytes(members, "Cert"),
        private=optional_bytes(members, "Private"),
        public=optional_bytes(members, "Public"),
    )
