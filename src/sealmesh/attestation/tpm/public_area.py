"""Keys as a TPM describes them. Source: TCG TPM 2.0 Library, part 2, section 12.2 (TPMT_PUBLIC)."""

from dataclasses import dataclass
from enum import IntFlag
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sealmesh.attestation.certification import PublicKey
from sealmesh.attestation.reader import Reader
from sealmesh.attestation.tpm.algorithms import AES, BANKS, CFB, ECC, NULL, RSA, SCHEMES, Bank, Scheme
from sealmesh.errors.attestation import VerificationError

_SUBJECT = "tpm public area"
_CURVES: dict[int, ec.EllipticCurve] = {
    0x0003: ec.SECP256R1(),
    0x0004: ec.SECP384R1(),
    0x0005: ec.SECP521R1(),
}
_RSA_BITS = (2048, 3072, 4096)
_DEFAULT_EXPONENT = 65537
_MAX_POLICY = 64


class Attributes(IntFlag):
    """What a key may do and where it may be (section 8.3, TPMA_OBJECT)."""

    FIXED_TPM = 1 << 1
    FIXED_PARENT = 1 << 4
    SENSITIVE_DATA_ORIGIN = 1 << 5
    RESTRICTED = 1 << 16
    DECRYPT = 1 << 17
    SIGN = 1 << 18


_ATTESTATION_KEY = (
    Attributes.FIXED_TPM
    | Attributes.FIXED_PARENT
    | Attributes.SENSITIVE_DATA_ORIGIN
    | Attributes.RESTRICTED
    | Attributes.SIGN
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicArea:
    """A key's public area.

    Attributes:
        raw: The TPMT_PUBLIC.
        key: The public key.
        name_hash: The algorithm of its Name.
        attributes: TPMA_OBJECT, 32 bits.
    """

    raw: bytes
    key: PublicKey
    name_hash: Bank
    attributes: int

    @property
    def name(self) -> bytes:
        """The Name: by which the TPM knows the key, attributes included (part 1, section 16)."""
        return self.name_hash.to_bytes(2, "big") + self.name_hash.digest(self.raw)

    def verify_signs_only_for_its_tpm(self) -> None:
        """Accept only a restricted signing key that was made in, and never leaves, its TPM.

        An unrestricted key would sign any bytes that look like a quote.

        Raises:
            VerificationError: `profile:attestation key`.
        """
        wrong = self.attributes & Attributes.DECRYPT or _ATTESTATION_KEY & ~self.attributes
        if wrong:
            raise VerificationError(
                "the key is not an attestation key",
                code="profile:attestation key",
                found=f"attributes {self.attributes:#010x}",
                wanted="restricted, sign, fixedTPM, fixedParent, sensitiveDataOrigin and not decrypt",
            )


def parse_public_area(raw: bytes) -> PublicArea:
    """Parse a TPMT_PUBLIC of a signing key.

    Raises:
        EvidenceFormatError: `format:tpm public area`.
    """
    reader = Reader(raw, _SUBJECT)
    kind, name_hash = reader.big_uint(2, "type"), reader.big_uint(2, "nameAlg")
    if name_hash not in BANKS - {Bank.SHA1}:
        reader.refuse("unknown or weak Name algorithm", found=hex(name_hash))
    attributes = reader.big_uint(4, "objectAttributes")
    reader.sized("authPolicy", most=_MAX_POLICY)
    _read_symmetric(reader)
    _read_scheme(reader)
    match kind:
        case value if value == RSA:
            key: PublicKey = _rsa(reader)
        case value if value == ECC:
            key = _ecc(reader)
        case _:
            reader.refuse("neither an RSA nor an ECC key", found=hex(kind))
    reader.finish()
    return PublicArea(raw=raw, key=key, name_hash=Bank(name_hash), attributes=attributes)


def _read_symmetric(reader: Reader) -> None:
    algorithm = reader.big_uint(2, "symmetric")
    if algorithm == AES:
        reader.big_uint(2, "keyBits")
        if reader.big_uint(2, "mode") != CFB:
            reader.refuse("another mode than CFB")
    elif algorithm != NULL:
        reader.refuse("unknown symmetric algorithm", found=hex(algorithm))


def _read_scheme(reader: Reader) -> None:
    scheme = reader.big_uint(2, "scheme")
    if scheme in SCHEMES:
        if reader.big_uint(2, "the scheme's hash") not in BANKS - {Bank.SHA1}:
            reader.refuse("the scheme's hash is unknown or weak")
    elif scheme != NULL:
        reader.refuse("unknown scheme", found=hex(scheme), wanted=", ".join(Scheme.__members__))


def _rsa(reader: Reader) -> rsa.RSAPublicKey:
    bits, exponent = reader.big_uint(2, "keyBits"), reader.big_uint(4, "exponent") or _DEFAULT_EXPONENT
    modulus = reader.sized("n", most=max(_RSA_BITS) // 8)
    if bits not in _RSA_BITS or len(modulus) != bits // 8:
        reader.refuse("an RSA key of another length", found=f"{bits} bits")
    try:
        return rsa.RSAPublicNumbers(exponent, int.from_bytes(modulus, "big")).public_key()
    except ValueError:
        _refuse_key(reader)


def _ecc(reader: Reader) -> ec.EllipticCurvePublicKey:
    curve = _CURVES.get(reader.big_uint(2, "curveID"))
    if reader.big_uint(2, "kdf") != NULL or curve is None:
        _refuse_key(reader)
    x, y = (int.from_bytes(reader.sized(name, most=66), "big") for name in ("x", "y"))
    try:
        return ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
    except ValueError:
        _refuse_key(reader)


def _refuse_key(reader: Reader) -> NoReturn:
    reader.refuse("not a key that can be used", wanted="RSA, or a point on P-256, P-384 or P-521")
