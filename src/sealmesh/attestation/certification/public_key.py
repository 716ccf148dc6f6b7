"""Public keys: the kinds that attestation uses, and their fingerprints."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from sealmesh.errors.attestation import EndorsementFormatError

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
MAX_KEY_BYTES = 4096
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


def load_spki(der: bytes) -> PublicKey:
    """Return the key of a SubjectPublicKeyInfo.

    Raises:
        ValueError: Not readable, or not an RSA key of 2048 to 8192 bits or on a NIST curve.
    """
    try:
        return _known(load_der_public_key(der))
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from error


def parse_public_key(data: bytes, *, subject: str) -> PublicKey:
    """Return the key in a PEM or DER SubjectPublicKeyInfo.

    Raises:
        EndorsementFormatError: `format:<subject>` or `limit:<subject>`.
    """
    if len(data) > MAX_KEY_BYTES:
        raise EndorsementFormatError(
            f"the {subject} is too long", code=f"limit:{subject}", found=len(data), wanted=MAX_KEY_BYTES
        )
    try:
        pem = data.lstrip().startswith(b"-----BEGIN")
        return _known(load_pem_public_key(data)) if pem else load_spki(data)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EndorsementFormatError(
            f"the {subject} cannot be read: {error}", code=f"format:{subject}"
        ) from error


def key_fingerprint(key: PublicKey) -> bytes:
    """Return the SHA-256 of the key's SubjectPublicKeyInfo: the name of a bare key as a trust root."""
    digest = Hash(SHA256())
    digest.update(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize()


def _known(key: object) -> PublicKey:
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return key
    if isinstance(key, rsa.RSAPublicKey) and MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        return key
    raise ValueError("not an RSA key of 2048 to 8192 bits, nor one on P-256, P-384 or P-521")
