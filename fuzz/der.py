"""As much DER as putting a signature on something needs."""

ECDSA_SHA384 = bytes.fromhex("300a06082a8648ce3d040303")


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE."""
    return _tlv(0x30, b"".join(parts))


def bits(content: bytes) -> bytes:
    """Return a BIT STRING of whole bytes."""
    return _tlv(0x03, b"\0" + content)


def octets(content: bytes) -> bytes:
    """Return an OCTET STRING."""
    return _tlv(0x04, content)


def enumerated(value: int) -> bytes:
    """Return an ENUMERATED of one byte."""
    return _tlv(0x0A, bytes((value,)))


def tagged(number: int, content: bytes) -> bytes:
    """Return an explicitly tagged value."""
    return _tlv(0xA0 | number, content)


def _tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    size = (length.bit_length() + 7) // 8
    head = bytes((length,)) if length < 128 else bytes((0x80 | size,)) + length.to_bytes(size, "big")
    return bytes((tag,)) + head + content
