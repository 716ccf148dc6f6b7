"""P-384 by AWS-LC, where it is installed: the same keys and signatures, three times as fast.

The CA and MarbleRun's Marbles are on P-384 by contract (COMPAT, section 6), and OpenSSL's arithmetic for that
curve is slow: signing, verifying and making a key cost a legacy admission a fifth of its CPU (ADR 15).
AWS-LC's is from s2n-bignum, written for each processor and proved correct and constant in time.

`PrivateKey` and `PublicKey` are keys of the `cryptography` library, so nobody has to know: what is not
signing, verifying or writing down DER, they leave to the library's own.
"""

import hashlib
from functools import cache, cached_property
from typing import Any, Final, Self, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

_Bytes: TypeAlias = bytes | bytearray | memoryview

_NUMBER_BYTES, _POINT_BYTES, _PKCS8_BYTES = 48, 97, 185
#: A private key on P-384 as RFC 5958 and RFC 5915 have it, around its number and its point.
_BEFORE_NUMBER: Final = bytes.fromhex(
    "3081b6020100301006072a8648ce3d020106052b8104002204819e30819b0201010430"
)
_AFTER_NUMBER: Final = bytes.fromhex("a164036200")
_HASHES: Final = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}


@cache
def _aws_lc() -> Any:
    """Return the module that binds AWS-LC, None where it is not installed. 8 MB, so only when needed."""
    try:
        from awscrt import crypto
    except ImportError:
        return None
    return crypto


def generate() -> ec.EllipticCurvePrivateKey:
    """Return a fresh key on P-384."""
    aws_lc = _aws_lc()
    if aws_lc is None:
        return ec.generate_private_key(ec.SECP384R1())
    return PrivateKey(aws_lc.EC.new_generate(aws_lc.ECType.P_384))


def swift(key: ec.EllipticCurvePrivateKey) -> ec.EllipticCurvePrivateKey:
    """Return the same key, on P-384 as AWS-LC's; as it is on another curve or without AWS-LC."""
    aws_lc = _aws_lc()
    if aws_lc is None or isinstance(key, PrivateKey) or not isinstance(key.curve, ec.SECP384R1):
        return key
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return PrivateKey(aws_lc.EC.new_key_from_der_data(der))


def verify(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes, algorithm: ec.ECDSA) -> None:
    """Accept `data` only with a good ECDSA `signature` by `key`, of any curve.

    Raises:
        InvalidSignature: It is not.
    """
    aws_lc = _aws_lc()
    if aws_lc is None or isinstance(key, PublicKey) or not isinstance(key.curve, ec.SECP384R1):
        key.verify(signature, data, algorithm)
    else:
        PublicKey(aws_lc.EC.new_key_from_der_data(_spki(key))).verify(signature, data, algorithm)


def _spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _padded(pkcs8: bytes) -> bytes:
    """Return a private key with all 48 bytes of its number (RFC 5915, section 3).

    AWS-LC's binding leaves out zeros in front, which one key in 256 has; other libraries refuse such a key.
    """
    if len(pkcs8) == _PKCS8_BYTES:
        return pkcs8
    number, point = pkcs8[len(_BEFORE_NUMBER) : -len(_AFTER_NUMBER) - _POINT_BYTES], pkcs8[-_POINT_BYTES:]
    return _BEFORE_NUMBER + number.rjust(_NUMBER_BYTES, b"\0") + _AFTER_NUMBER + point


def _digest(data: _Bytes, algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes | None:
    """Return the digest to be signed; None where the library has to do it."""
    if not isinstance(algorithm, ec.ECDSA) or algorithm.deterministic_signing:
        return None
    if isinstance(algorithm.algorithm, Prehashed):
        return None
    make = _HASHES.get(algorithm.algorithm.name)
    return None if make is None else make(data).digest()


class _OnP384:
    """What both kinds of keys have in common."""

    @property
    def curve(self) -> ec.EllipticCurve:
        return ec.SECP384R1()

    @property
    def key_size(self) -> int:
        return 384

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> Self:
        return self


class PublicKey(_OnP384, ec.EllipticCurvePublicKey):
    """A public key on P-384."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    @cached_property
    def _der(self) -> bytes:
        return bytes(self._handle.export_key(_aws_lc().ECExportFormat.SPKI))

    @cached_property
    def _library(self) -> ec.EllipticCurvePublicKey:
        key = load_der_public_key(self._der)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        return key

    def public_numbers(self) -> ec.EllipticCurvePublicNumbers:
        return self._library.public_numbers()

    def public_bytes(self, encoding: Encoding, format: PublicFormat) -> bytes:
        if encoding is Encoding.DER and format is PublicFormat.SubjectPublicKeyInfo:
            return self._der
        return self._library.public_bytes(encoding, format)

    def verify(
        self, signature: _Bytes, data: _Bytes, signature_algorithm: ec.EllipticCurveSignatureAlgorithm
    ) -> None:
        digest = _digest(data, signature_algorithm)
        if digest is None:
            self._library.verify(signature, data, signature_algorithm)
        elif not self._handle.verify(digest, signature):
            raise InvalidSignature

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ec.EllipticCurvePublicKey) and _spki(other) == self._der

    def __hash__(self) -> int:
        return hash(self._der)


class PrivateKey(_OnP384, ec.EllipticCurvePrivateKey):
    """A private key on P-384. Its `repr` says nothing of it."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._public = PublicKey(handle)

    @property
    def _library(self) -> ec.EllipticCurvePrivateKey:
        key = load_der_private_key(self._der(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def _der(self) -> bytes:
        return _padded(bytes(self._handle.export_key(_aws_lc().ECExportFormat.PKCS8)))

    def public_key(self) -> PublicKey:
        return self._public

    def sign(self, data: _Bytes, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        digest = _digest(data, signature_algorithm)
        if digest is None:
            return self._library.sign(data, signature_algorithm)
        return bytes(self._handle.sign(digest))

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        peer = load_der_public_key(_spki(peer_public_key))
        assert isinstance(peer, ec.EllipticCurvePublicKey)
        return self._library.exchange(algorithm, peer)

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        return self._library.private_numbers()

    def private_bytes(
        self, encoding: Encoding, format: PrivateFormat, encryption_algorithm: KeySerializationEncryption
    ) -> bytes:
        if (
            encoding is Encoding.DER
            and format is PrivateFormat.PKCS8
            and isinstance(encryption_algorithm, NoEncryption)
        ):
            return self._der()
        return self._library.private_bytes(encoding, format, encryption_algorithm)
