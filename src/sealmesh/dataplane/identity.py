"""Who the peer is: its Marble type and SPIFFE ID, read from its certificate.

The chain was verified by OpenSSL against the Marble root; here only names are read. Both places that
carry the type, the SPIFFE ID and the raw extension of MarbleRun, must agree. The grammar is that of
`sealmesh.pki.identity`, which cannot be imported here because it needs `cryptography`.
"""

import re
import uuid as uuids
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sealmesh.dataplane.der import extension_value
from sealmesh.errors.dataplane import PeerIdentityError

#: 1.3.9903.2.1 as DER content octets: the raw bytes of the Marble type (COMPAT, section 6).
_MARBLE_TYPE_OID: Final = bytes.fromhex("2bcd2f0201")
_SEGMENT: Final = re.compile(r"(?:[A-Za-z0-9.-]|_[0-9A-F]{2})+")
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerIdentity:
    """A Marble of this mesh, as its certificate names it."""

    spiffe_id: str
    marble_type: str


def identify(sans: Iterable[tuple[str, str]], certificate: bytes, *, trust_domain: str) -> PeerIdentity:
    """Return whom a verified certificate names.

    Args:
        sans: Subject alternative names as `ssl.SSLSocket.getpeercert()` gives them.
        certificate: The same certificate as DER.
        trust_domain: The only one accepted.

    Raises:
        PeerIdentityError: No or several SPIFFE IDs, another mesh, or a type that the extension contradicts.
    """
    uris = [value for kind, value in sans if kind == "URI" and value.startswith("spiffe://")]
    if len(uris) != 1:
        raise PeerIdentityError(
            "The peer's certificate does not name one Marble", found=f"{len(uris)} SPIFFE IDs", wanted="one"
        )
    marble_type = _marble_type(uris[0], trust_domain)
    stated = extension_value(certificate, _MARBLE_TYPE_OID)
    if stated is not None and stated != marble_type.encode():
        raise PeerIdentityError(
            "The peer's certificate names two Marble types", found=repr(stated[:80]), wanted=repr(marble_type)
        )
    return PeerIdentity(spiffe_id=uris[0], marble_type=marble_type)


def _marble_type(uri: str, trust_domain: str) -> str:
    parts = uri.removeprefix("spiffe://").split("/")
    if len(parts) != 4 or parts[1] != "marble":
        raise PeerIdentityError("The peer is not a Marble", found=repr(uri[:200]))
    if parts[0] != trust_domain:
        raise PeerIdentityError("The peer belongs to another mesh", found=parts[0][:80], wanted=trust_domain)
    try:
        if str(uuids.UUID(parts[3])) != parts[3]:
            raise ValueError(parts[3])
        marble_type = _unescape(parts[2])
    except ValueError as error:
        raise PeerIdentityError("The peer's SPIFFE ID is not well-formed", found=repr(uri[:200])) from error
    return marble_type


def _unescape(segment: str) -> str:
    if segment == "_":
        return ""
    if not _SEGMENT.fullmatch(segment):
        raise ValueError(segment)
    raw = re.sub(rb"_([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), segment.encode())
    if _escape(raw) != segment:
        raise ValueError(segment)
    return raw.decode()


def _escape(raw: bytes) -> str:
    if raw in (b".", b".."):
        return "".join(f"_{byte:02X}" for byte in raw)
    return "".join(chr(byte) if byte in _PLAIN else f"_{byte:02X}" for byte in raw)
