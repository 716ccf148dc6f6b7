"""PEM, as the contract shows it: lines of 64 characters and a newline at the end (RFC 7468)."""

from base64 import b64encode
from functools import lru_cache

__all__ = ["authority_pem", "to_pem"]

_LINE = 64


def to_pem(label: str, der: bytes) -> bytes:
    """Return `der` between the lines of `label`."""
    text = b64encode(der)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    mark = label.encode()
    return b"\n".join((b"-----BEGIN " + mark + b"-----", *lines, b"-----END " + mark + b"-----", b""))


@lru_cache(maxsize=16)
def authority_pem(der: bytes) -> bytes:
    """Return a certificate of the mesh's authority, which every Marble gets, as PEM; remembers a few."""
    return to_pem("CERTIFICATE", der)
