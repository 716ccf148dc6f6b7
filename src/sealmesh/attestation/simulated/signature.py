"""The signature of a package: byte for byte an SGX SIGSTRUCT.

RSA with 3072 bits and exponent 3, PKCS#1 v1.5 over SHA-256 of the header and body parts. The signer
ID is the SHA-256 of the modulus in little-endian bytes, as in SGX, so that a key has the same
SignerID here and there. Source: Intel SDM volume 3D, "Enclave Signature Structure (SIGSTRUCT)".
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, Hash

from sealmesh.attestation.dcap.enclave_report import ATTRIBUTE_DEBUG, ATTRIBUTE_INIT, ATTRIBUTE_MODE64
from sealmesh.attestation.reader import Reader
from sealmesh.errors.attestation import PackageError, VerificationError

STRUCTURE_LENGTH = 1808
KEY_BITS = 3072
EXPONENT = 3
MAX_VERSION = 0xFFFF
_KEY_BYTES = KEY_BITS // 8
_HEADER = bytes.fromhex("06000000e10000000000010000000000")
_HEADER2 = bytes.fromhex("01010000600000006000000001000000")
_XFRM = bytes.fromhex("e700000000000000")
_ATTRIBUTE_MASK = bytes.fromhex("ffffffffffffffff1800000000000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureStructure:
    """A signature structure whose RSA signature holds.

    Attributes:
        raw: The 1808 bytes.
        unique_id: ENCLAVEHASH, 32 bytes: what was signed.
        signer_id: 32 bytes, of the key that signed.
        product_id: ISVPRODID.
        security_version: ISVSVN.
        debug: Whether the enclave is to run in debug mode.
    """

    raw: bytes
    unique_id: bytes
    signer_id: bytes
    product_id: int
    security_version: int
    debug: bool


def signer_id(key: rsa.RSAPublicKey) -> bytes:
    """Return the SignerID (MRSIGNER) of a package signing key.

    Raises:
        PackageError: `package:key`, not RSA-3072 with exponent 3.
    """
    numbers = key.public_numbers()
    if key.key_size != KEY_BITS or numbers.e != EXPONENT:
        raise PackageError(
            "the signing key is of another kind than SGX wants",
            code="package:key",
            found=f"RSA-{key.key_size} with exponent {numbers.e}",
            wanted=f"RSA-{KEY_BITS} with exponent {EXPONENT}",
            remedy="Make one with: openssl genrsa -3 -out private.pem 3072",
        )
    return _sha256(numbers.n.to_bytes(_KEY_BYTES, "little"))


def sign_package(
    unique_id: bytes,
    key: rsa.RSAPrivateKey,
    *,
    product_id: int,
    security_version: int,
    debug: bool,
    now: datetime,
) -> SignatureStructure:
    """Sign a measurement.

    Args:
        unique_id: 32 bytes from `measure`.
        key: RSA-3072 with exponent 3.
        product_id: 0 to 65535.
        security_version: 0 to 65535.
        debug: Whether the package is to run as a debug enclave.
        now: The date that the structure carries; nothing depends on it.

    Raises:
        PackageError: `package:key`, or `package:version` for a number that SGX cannot carry.
    """
    signer_id(key.public_key())
    for name, number in (("productID", product_id), ("securityVersion", security_version)):
        if not 0 <= number <= MAX_VERSION:
            raise PackageError(
                f"{name} is out of range", code="package:version", found=number, wanted=f"0 to {MAX_VERSION}"
            )
    header = _HEADER + bytes(4) + bytes.fromhex(f"{now:%Y%m%d}")[::-1] + _HEADER2 + bytes(4 + 84)
    flags = ATTRIBUTE_INIT | ATTRIBUTE_MODE64 | (ATTRIBUTE_DEBUG if debug else 0)
    body = (
        bytes(4 + 4 + 4 + 16)  # MISCSELECT, MISCMASK, CET, ISVFAMILYID
        + flags.to_bytes(8, "little")
        + _XFRM
        + _ATTRIBUTE_MASK
        + unique_id
        + bytes(32)  # reserved, ISVEXTPRODID
        + product_id.to_bytes(2, "little")
        + security_version.to_bytes(2, "little")
    )
    signature = int.from_bytes(key.sign(header + body, padding.PKCS1v15(), SHA256()), "big")
    modulus = key.public_key().public_numbers().n
    q1, q2 = _quotients(signature, modulus)
    raw = header + _number(modulus) + EXPONENT.to_bytes(4, "little") + _number(signature) + body + bytes(12)
    return parse_signature_structure(raw + _number(q1) + _number(q2))


def parse_signature_structure(raw: bytes) -> SignatureStructure:
    """Read a signature structure and verify that its own key signed it (what EINIT does first).

    Raises:
        EvidenceFormatError: The length is another.
        VerificationError: `signature:package`.
    """
    reader = Reader(raw, "signature structure")
    header = reader.take(128, "header")
    modulus_bytes = reader.take(_KEY_BYTES, "modulus")
    exponent = reader.uint(4, "exponent")
    signature = reader.uint(_KEY_BYTES, "signature")
    body = reader.take(128, "body")
    reserved = reader.take(12, "reserved")
    quotients = (reader.uint(_KEY_BYTES, "Q1"), reader.uint(_KEY_BYTES, "Q2"))
    reader.finish()
    modulus = int.from_bytes(modulus_bytes, "little")
    try:
        if exponent != EXPONENT or any(reserved) or quotients != _quotients(signature, modulus):
            raise InvalidSignature
        public_key = rsa.RSAPublicNumbers(EXPONENT, modulus).public_key()
        public_key.verify(signature.to_bytes(_KEY_BYTES, "big"), header + body, padding.PKCS1v15(), SHA256())
        fields_hold = header[:16] == _HEADER and public_key.key_size == KEY_BITS
    except (InvalidSignature, ValueError, ZeroDivisionError) as error:
        raise VerificationError(
            "the signature of the package does not verify", code="signature:package"
        ) from error
    if not fields_hold:
        raise VerificationError("not a signature structure", code="signature:package")
    return SignatureStructure(
        raw=raw,
        unique_id=body[60:92],
        signer_id=_sha256(modulus_bytes),
        product_id=int.from_bytes(body[124:126], "little"),
        security_version=int.from_bytes(body[126:128], "little"),
        debug=bool(body[28] & ATTRIBUTE_DEBUG),
    )


def _quotients(signature: int, modulus: int) -> tuple[int, int]:
    """Return Q1 and Q2, by which the processor computes the cube without dividing."""
    q1, rest = divmod(signature * signature, modulus)
    return q1, (rest * signature) // modulus


def _number(value: int) -> bytes:
    return value.to_bytes(_KEY_BYTES, "little")


def _sha256(data: bytes) -> bytes:
    digest = Hash(SHA256())
    digest.update(data)
    return digest.finalize()
