"""COSE_Sign1: one signature over a payload.

Source: RFC 9052 sections 3, 4.2 and 4.4; RFC 9053 section 2.1.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from sealmesh.attestation.cbor import Tagged, Value, decode, encode_bytes, encode_head, encode_text
from sealmesh.attestation.certification.public_key import PublicKey
from sealmesh.attestation.claim_map import ClaimMap
from sealmesh.attestation.fixed_ecdsa import verify_fixed_ecdsa
from sealmesh.errors.attestation import EvidenceFormatError

SIGN1_TAG = 18
ES256, ES384, ES512 = -7, -35, -36
_ALGORITHM, _KEY_ID = 1, 4
_CURVES: dict[int, tuple[type[ec.EllipticCurve], HashAlgorithm]] = {
    ES256: (ec.SECP256R1, SHA256()),
    ES384: (ec.SECP384R1, SHA384()),
    ES512: (ec.SECP521R1, SHA512()),
}
_MAX_SIGNATURE = 132


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign1:
    """A COSE_Sign1 taken apart; the signature is not verified.

    Attributes:
        protected: The protected header, as it was signed.
        algorithm: -7, -35 or -36.
        payload: What is signed.
        signature: r and s.
    """

    protected: bytes
    algorithm: int
    payload: bytes
    signature: bytes

    def verify(self, key: PublicKey, *, subject: str) -> None:
        """Accept only if `key` signed this (RFC 9052 section 4.4, without external data).

        Raises:
            VerificationError: `signature:<subject>`.
        """
        curve, digest = _CURVES[self.algorithm]
        message = signature_structure(self.protected, self.payload)
        verify_fixed_ecdsa(key, self.signature, message, curve=curve, digest=digest, subject=subject)


def parse_sign1(value: Value, *, subject: str, algorithms: frozenset[int]) -> Sign1:
    """Read a decoded COSE_Sign1, with or without its tag.

    Args:
        value: From `cbor.decode`.
        subject: What it is called in errors.
        algorithms: Those that are accepted here.

    Raises:
        EvidenceFormatError: `format:<subject>`: another structure, algorithm or header parameter.
    """
    if isinstance(value, Tagged) and value.tag == SIGN1_TAG:
        value = value.value
    match value:
        case (bytes() as protected, dict() as unprotected, bytes() as payload, bytes() as signature):
            pass
        case _:
            raise EvidenceFormatError(f"{subject} is not a COSE_Sign1", code=f"format:{subject}")
    ClaimMap(unprotected, subject).only(frozenset({_KEY_ID}))
    header = ClaimMap(decode(protected, subject=subject), subject)
    header.only(frozenset({_ALGORITHM, _KEY_ID}))
    algorithm = header.get(_ALGORITHM)
    if type(algorithm) is not int or algorithm not in algorithms:
        header.refuse("algorithm", " or ".join(map(str, sorted(algorithms))))
    if len(signature) > _MAX_SIGNATURE:
        header.refuse("signature", f"at most {_MAX_SIGNATURE} bytes")
    return Sign1(protected=protected, algorithm=algorithm, payload=payload, signature=signature)


def signature_structure(protected: bytes, payload: bytes) -> bytes:
    """Return the bytes that a COSE_Sign1's signature covers."""
    parts = (encode_text("Signature1"), encode_bytes(protected), encode_bytes(b""), encode_bytes(payload))
    return encode_head(4, len(parts)) + b"".join(parts)
