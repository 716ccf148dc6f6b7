"""ECDSA with r and s as big-endian numbers of fixed length, one after the other.

Source: RFC 9053 section 2.1 (COSE); DMTF DSP0274 section "Signature generation" (SPDM).
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from sealmesh.errors.attestation import VerificationError

_SCALAR_BYTES: dict[type[ec.EllipticCurve], int] = {ec.SECP256R1: 32, ec.SECP384R1: 48, ec.SECP521R1: 66}


def verify_fixed_ecdsa(
    key: object,
    signature: bytes,
    message: bytes,
    *,
    curve: type[ec.EllipticCurve],
    digest: HashAlgorithm,
    subject: str,
) -> None:
    """Accept `signature` only if `key`, on this curve, made it over `message`.

    Raises:
        VerificationError: `signature:<subject>`.
    """
    half = _SCALAR_BYTES[curve]
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    try:
        if not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, curve)):
            raise InvalidSignature
        if len(signature) != 2 * half:
            raise InvalidSignature
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))
    except InvalidSignature as error:
        raise VerificationError(
            f"the signature over the {subject} does not verify", code=f"signature:{subject}"
        ) from error
