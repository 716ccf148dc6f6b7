"""Signature algorithms of certificates, told apart by their exact DER.

Source: RFC 5758 section 3.2 (ECDSA), RFC 8017 appendix A.2 (RSA). SHA-1 and MD5 are not among them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from sealmesh.attestation.certification.public_key import PublicKey


@dataclass(frozen=True, slots=True)
class _Ecdsa:
    hash: Callable[[], HashAlgorithm]

    def verify(self, key: PublicKey, signature: bytes, data: bytes) -> None:
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise InvalidSignature
        key.verify(signature, data, ec.ECDSA(self.hash()))


@dataclass(frozen=True, slots=True)
class _Rsa:
    padding: Callable[[], AsymmetricPadding]
    hash: Callable[[], HashAlgorithm]

    def verify(self, key: PublicKey, signature: bytes, data: bytes) -> None:
        if not isinstance(key, rsa.RSAPublicKey):
            raise InvalidSignature
        key.verify(signature, data, self.padding(), self.hash())


def _pss(hash_oid: str, salt: int, *, trailer: bool) -> bytes:
    """Return the AlgorithmIdentifier of RSASSA-PSS with one hash for message and mask."""
    digest = bytes.fromhex(f"300d0609608648016503040{hash_oid}0500")
    mask = bytes.fromhex("06092a864886f70d010108") + digest
    parameters = (
        _tlv(0xA0, digest)
        + _tlv(0xA1, _tlv(0x30, mask))
        + _tlv(0xA2, bytes((2, 1, salt)))
        + (bytes.fromhex("a303020101") if trailer else b"")
    )
    return _tlv(0x30, bytes.fromhex("06092a864886f70d01010a") + _tlv(0x30, parameters))


def _tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content


def _pss_padding(digest: Callable[[], HashAlgorithm]) -> Callable[[], AsymmetricPadding]:
    return lambda: PSS(mgf=MGF1(digest()), salt_length=digest().digest_size)


_RSA = "300d06092a864886f70d0101"
_ALGORITHMS: dict[bytes, _Ecdsa | _Rsa] = {
    bytes.fromhex("300a06082a8648ce3d040302"): _Ecdsa(SHA256),
    bytes.fromhex("300a06082a8648ce3d040303"): _Ecdsa(SHA384),
    bytes.fromhex("300a06082a8648ce3d040304"): _Ecdsa(SHA512),
    bytes.fromhex(_RSA + "0b0500"): _Rsa(PKCS1v15, SHA256),
    bytes.fromhex(_RSA + "0c0500"): _Rsa(PKCS1v15, SHA384),
    bytes.fromhex(_RSA + "0d0500"): _Rsa(PKCS1v15, SHA512),
    **{
        _pss(oid, digest().digest_size, trailer=trailer): _Rsa(_pss_padding(digest), digest)
        for oid, digest in (("201", SHA256), ("202", SHA384), ("203", SHA512))
        for trailer in (False, True)
    },
}


def verify_signature(key: PublicKey, algorithm: bytes, signature: bytes, data: bytes) -> None:
    """Accept `signature` only if `key` made it over `data` by this algorithm.

    Raises:
        InvalidSignature: It did not, or the algorithm is none that is known for such a key.
    """
    known = _ALGORITHMS.get(algorithm)
    if known is None:
        raise InvalidSignature("unknown signature algorithm")
    try:
        known.verify(key, signature, data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidSignature(str(error)) from error
