"""As much DER (X.690) as it takes to find one extension in a certificate (RFC 5280, 4.1).

OpenSSL has already parsed and verified the certificate; Python's `ssl` does not show unknown extensions.
"""

from collections.abc import Iterator
from typing import Final

from sealmesh.errors.dataplane import PeerIdentityError

_SEQUENCE: Final = 0x30
_OID: Final = 0x06
_OCTET_STRING: Final = 0x04
_EXTENSIONS: Final = 0xA3


def extension_value(certificate: bytes, oid: bytes) -> bytes | None:
    """Return the value of the extension `oid` (DER content octets), or None where there is none.

    Raises:
        PeerIdentityError: Not a certificate in DER, or the extension occurs twice.
    """
    found: bytes | None = None
    for extension in _extensions(certificate):
        parts = list(_elements(extension))
        if len(parts) < 2 or parts[0] != (_OID, oid):
            continue
        if found is not None or parts[-1][0] != _OCTET_STRING:
            raise PeerIdentityError("The peer's certificate has a malformed or repeated extension")
        found = parts[-1][1]
    return found


def _extensions(certificate: bytes) -> Iterator[bytes]:
    body = _only(certificate, _SEQUENCE)
    to_be_signed = next((value for tag, value in _elements(body) if tag == _SEQUENCE), b"")
    for tag, value in _elements(to_be_signed):
        if tag == _EXTENSIONS:
            for inner_tag, extension in _elements(_only(value, _SEQUENCE)):
                if inner_tag == _SEQUENCE:
                    yield extension


def _only(data: bytes, tag: int) -> bytes:
    elements = list(_elements(data))
    if len(elements) != 1 or elements[0][0] != tag:
        raise PeerIdentityError("The peer's certificate is not well-formed DER")
    return elements[0][1]


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        if position + 2 > len(data):
            raise PeerIdentityError("The peer's certificate is cut short")
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4 or position + size > len(data):
                raise PeerIdentityError("The peer's certificate has a length that is not DER")
            length = int.from_bytes(data[position : position + size], "big")
            position += size
        if position + length > len(data):
            raise PeerIdentityError("The peer's certificate is cut short")
        yield tag, data[position : position + length]
        position += length
