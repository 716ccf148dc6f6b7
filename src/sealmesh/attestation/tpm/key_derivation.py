"""How a TPM derives keys. Source: TCG TPM 2.0 Library, part 1, section 11.4.10 (KDFa, KDFe).

Both with SHA-256, and for at most one block of it: nothing here needs more.
"""

from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.hmac import HMAC


def kdfa(key: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """Return `length` bytes by SP 800-108 in counter mode with HMAC."""
    mac = HMAC(key, SHA256())
    mac.update((1).to_bytes(4, "big") + label + b"\0" + context + (8 * length).to_bytes(4, "big"))
    return mac.finalize()[:length]


def kdfe(shared: bytes, use: bytes, party_u: bytes, party_v: bytes) -> bytes:
    """Return 32 bytes by SP 800-56A from a shared point's x coordinate and the two public ones."""
    digest = Hash(SHA256())
    digest.update((1).to_bytes(4, "big") + shared + use + b"\0" + party_u + party_v)
    return digest.finalize()
