"""Signatures on approvals: the scheme follows from the key, so there is none to choose or to confuse.

ECDSA with the hash as long as the curve (FIPS 186-5), Ed25519 (RFC 8032), RSASSA-PSS with SHA-256 and a salt
of 32 bytes (RFC 8017). What a PKCS#11 token and OpenSSL both make.
"""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sealmesh.errors.governance import ApprovalRefused

PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256,
    "secp384r1": hashes.SHA384,
    "secp521r1": hashes.SHA512,
}


def curve_hash(curve: ec.EllipticCurve) -> hashes.HashAlgorithm:
    """Return the hash that goes with `curve`.

    Raises:
        ApprovalRefused: Approvals are not signed on this curve.
    """
    found = _HASHES.get(curve.name)
    if found is None:
        raise ApprovalRefused(
            "approvals are not signed on this curve", found=curve.name, wanted=", ".join(_HASHES)
        )
    return found()


def verify_signature(key: bytes, message: bytes, signature: bytes) -> None:
    """Accept `signature` over `message` by the key with this SubjectPublicKeyInfo (DER).

    Raises:
        ApprovalRefused: It does not hold.
    """
    try:
        _verify(load_der_public_key(key), message, signature)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise ApprovalRefused("the approval's signature does not hold", code="approval-signature") from error


def _verify(key: object, message: bytes, signature: bytes) -> None:
    match key:
        case ec.EllipticCurvePublicKey():
            key.verify(signature, message, ec.ECDSA(curve_hash(key.curve)))
        case ed25519.Ed25519PublicKey():
            key.verify(signature, message)
        case rsa.RSAPublicKey():
            key.verify(signature, message, PSS, hashes.SHA256())
        case _:
            raise TypeError("no key for approvals")
