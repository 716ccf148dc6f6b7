"""ECDSA over P-256 with SHA-256, in the raw form that DCAP uses: 64 bytes, r and s, big-endian."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from sealmesh.errors.attestation import VerificationError

_ALGORITHM = ec.ECDSA(SHA256())


def load_point(raw: bytes) -> ec.EllipticCurvePublicKey | None:
    """Return the public key of a raw point (x, y; 64 bytes), or None where it is not on the curve."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + raw)
    except ValueError:
        return None


def encode_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the raw point (x, y; 64 bytes) of a P-256 key."""
    numbers = key.public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def verify_raw(
    key: ec.EllipticCurvePublicKey | None, signature: bytes, message: bytes, *, subject: str
) -> None:
    """Accept `signature` only if `key` made it over `message`.

    Raises:
        VerificationError: `signature:<subject>`.
    """
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        if key is None or len(signature) != 64:
            raise InvalidSignature
        key.verify(encode_dss_signature(r, s), message, _ALGORITHM)
    except InvalidSignature as error:
        raise VerificationError(
            f"the signature over the {subject} does not verify", code=f"signature:{subject}"
        ) from error


def sign_raw(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """Return the 64-byte signature over `message`."""
    r, s = decode_dss_signature(key.sign(message, _ALGORITHM))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
