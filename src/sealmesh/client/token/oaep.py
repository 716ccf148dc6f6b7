"""Removing OAEP padding (RFC 8017, section 7.1.2, step 3): SHA-256, MGF1 with SHA-256, no label.

For tokens that do RSA alone. The plain block is the key owner's own, on his own machine: nobody asks it
questions from outside, so unlike a server this need not hide how it failed.
"""

from hashlib import sha256

HASH_BYTES = 32


def remove_oaep_padding(block: bytes) -> bytes:
    """Return the message in a decrypted block, which is as long as the modulus.

    Raises:
        ValueError: The padding does not hold.
    """
    if len(block) < 2 * HASH_BYTES + 2:
        raise ValueError("too short for OAEP")
    masked_seed, masked_data = block[1 : 1 + HASH_BYTES], block[1 + HASH_BYTES :]
    seed = _xor(masked_seed, _mask(masked_data, HASH_BYTES))
    data = _xor(masked_data, _mask(seed, len(masked_data)))
    label_hash, rest = data[:HASH_BYTES], data[HASH_BYTES:]
    padding, one, message = rest.partition(b"\x01")
    if block[0] != 0 or label_hash != sha256(b"").digest() or any(padding) or not one:
        raise ValueError("the OAEP padding does not hold")
    return message


def _mask(seed: bytes, length: int) -> bytes:
    """MGF1 (RFC 8017, appendix B.2.1)."""
    blocks = (sha256(seed + count.to_bytes(4, "big")).digest() for count in range(-(-length // HASH_BYTES)))
    return b"".join(blocks)[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
