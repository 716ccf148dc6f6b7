"""Who is who: trust domains, SPIFFE IDs, Marble types.

Invariants: a Marble type and a UUID give exactly one SPIFFE ID and back (`marble_id` is injective and
`parse_marble_id` accepts only what `marble_id` writes), so that two types can never share a name.
"""

import re
import uuid as uuids
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.errors.pki import IdentityError

#: SPIFFE ID, section 2.3: implementations must support 2048 bytes and must not make longer ones.
MAX_SPIFFE_ID_BYTES: Final = 2048
_SCHEME: Final = "spiffe://"
_TRUST_DOMAIN: Final = re.compile(r"[a-z0-9._-]{1,255}")
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")
_ESCAPED: Final = re.compile(r"(?:[A-Za-z0-9.-]|_[0-9A-F]{2})+")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarbleId:
    """The identity of one Marble: its mesh, its type in the Manifest, itself."""

    trust_domain: str
    marble_type: str
    uuid: uuids.UUID

    def __str__(self) -> str:
        return marble_id(self.trust_domain, self.marble_type, self.uuid)


def spki(key: CertificatePublicKeyTypes) -> bytes:
    """Return the SubjectPublicKeyInfo of `key` as DER (RFC 5280, 4.1.2.7)."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def trust_domain(root_public_key: CertificatePublicKeyTypes) -> str:
    """Return the mesh's SPIFFE trust domain: `mesh-` and the first 32 hex digits of SHA-256(root SPKI).

    It names the key, so nobody else can issue under it, and a root certificate that is made anew with
    the same key keeps it.
    """
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki(root_public_key))
    return f"mesh-{digest.finalize().hex()[:32]}"


def domain_id(domain: str) -> str:
    """Return the SPIFFE ID of the mesh itself, which its CA certificates carry: no path."""
    return f"{_SCHEME}{_checked_domain(domain)}"


def marble_id(domain: str, marble_type: str, uuid: uuids.UUID) -> str:
    """Return `spiffe://DOMAIN/marble/TYPE/UUID` with the type escaped.

    Letters, digits, `.` and `-` stay; every other byte of the UTF-8 form, `_` included, becomes `_XX`.
    The types `.` and `..` are escaped altogether and the empty type is a lone `_`, because SPIFFE forbids
    these path segments.

    Raises:
        IdentityError: The type is not Unicode text, or the ID would be longer than SPIFFE allows.
    """
    text = f"{domain_id(domain)}/marble/{_escape(marble_type)}/{uuid}"
    if len(text) > MAX_SPIFFE_ID_BYTES:
        raise IdentityError(
            "The Marble type is too long for a SPIFFE ID",
            found=f"an ID of {len(text)} bytes",
            wanted=f"at most {MAX_SPIFFE_ID_BYTES}",
        )
    return text


def parse_marble_id(uri: str) -> MarbleId:
    """Read a SPIFFE ID written by `marble_id`, and nothing else.

    Raises:
        IdentityError: Another scheme, path or escape, or not the canonical form.
    """
    if len(uri) > MAX_SPIFFE_ID_BYTES:
        raise IdentityError("The SPIFFE ID is too long", found=f"{len(uri)} characters")
    parts = uri.removeprefix(_SCHEME).split("/") if uri.startswith(_SCHEME) else []
    if len(parts) != 4 or parts[1] != "marble":
        raise IdentityError(
            "Not the SPIFFE ID of a Marble", found=repr(uri[:200]), wanted="spiffe://DOMAIN/marble/TYPE/UUID"
        )
    identity = MarbleId(
        trust_domain=_checked_domain(parts[0]), marble_type=_unescape(parts[2]), uuid=parse_uuid(parts[3])
    )
    if str(identity) != uri:
        raise IdentityError("The SPIFFE ID is not in canonical form", found=repr(uri), wanted=str(identity))
    return identity


def parse_domain_id(uri: str) -> str:
    """Return the trust domain that a CA certificate's SPIFFE ID names.

    Raises:
        IdentityError: Not `spiffe://DOMAIN`.
    """
    if not uri.startswith(_SCHEME):
        raise IdentityError("Not a SPIFFE ID", found=repr(uri[:200]), wanted="spiffe://DOMAIN")
    return _checked_domain(uri.removeprefix(_SCHEME))


def parse_uuid(text: str) -> uuids.UUID:
    """Read a UUID in its one canonical form: lower case, with dashes (RFC 9562, section 4).

    Raises:
        IdentityError: Any other form.
    """
    try:
        value = uuids.UUID(text)
    except ValueError as error:
        raise IdentityError("Not a UUID", found=repr(text[:80])) from error
    if str(value) != text:
        raise IdentityError("The UUID is not in canonical form", found=repr(text[:80]), wanted=str(value))
    return value


def _checked_domain(domain: str) -> str:
    if not _TRUST_DOMAIN.fullmatch(domain):
        raise IdentityError("Not a SPIFFE trust domain", found=repr(domain[:80]), wanted="[a-z0-9._-]")
    return domain


def _escape(marble_type: str) -> str:
    try:
        raw = marble_type.encode()
    except UnicodeEncodeError as error:
        raise IdentityError("The Marble type is not Unicode text", found=ascii(marble_type)[:80]) from error
    if raw in (b"", b".", b".."):
        return "".join(f"_{byte:02X}" for byte in raw) or "_"
    return "".join(chr(byte) if byte in _PLAIN else f"_{byte:02X}" for byte in raw)


def _unescape(segment: str) -> str:
    if segment == "_":
        return ""
    if not _ESCAPED.fullmatch(segment):
        raise IdentityError(
            "The Marble type in the SPIFFE ID is not escaped as it must be", found=repr(segment)
        )
    raw = re.sub(rb"_([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), segment.encode())
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise IdentityError("The Marble type in the SPIFFE ID is not UTF-8", found=repr(segment)) from error
