"""The signature over a quote. Source: TCG TPM 2.0 Library, part 2, section 11.3.4 (TPMT_SIGNATURE)."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sealmesh.attestation.certification import PublicKey
from sealmesh.attestation.reader import Reader
from sealmesh.attestation.tpm.algorithms import BANKS, SCHEMES, Bank, Scheme
from sealmesh.errors.attestation import VerificationError

_SUBJECT = "tpm signature"
_MAX_RSA, _MAX_SCALAR = 1024, 66


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A TPMT_SIGNATURE; nothing is verified.

    Attributes:
        scheme: Which scheme.
        hash: With which hash.
        value: RSA's number as bytes, or ECDSA's r and s in DER.
    """

    scheme: Scheme
    hash: Bank
    value: bytes

    def verify(self, key: PublicKey, message: bytes) -> None:
        """Accept only if `key` signed `message` by this scheme.

        Raises:
            VerificationError: `signature:quote`.
        """
        try:
            match self.scheme, key:
                case Scheme.ECDSA, ec.EllipticCurvePublicKey():
                    key.verify(self.value, message, ec.ECDSA(self.hash.algorithm))
                case Scheme.RSASSA | Scheme.RSAPSS, rsa.RSAPublicKey():
                    key.verify(self.value, message, self._padding(), self.hash.algorithm)
                case _:
                    raise InvalidSignature
        except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
            raise VerificationError(
                "the signature over the TPM quote does not verify", code="signature:quote"
            ) from error

    def _padding(self) -> AsymmetricPadding:
        if self.scheme is Scheme.RSASSA:
            return PKCS1v15()
        return PSS(mgf=MGF1(self.hash.algorithm), salt_length=PSS.AUTO)


def parse_signature(raw: bytes) -> Signature:
    """Parse a TPMT_SIGNATURE.

    Raises:
        EvidenceFormatError: `format:tpm signature`: another scheme, SHA-1, or not whole.
    """
    reader = Reader(raw, _SUBJECT)
    scheme, algorithm = reader.big_uint(2, "sigAlg"), reader.big_uint(2, "hash")
    if scheme not in SCHEMES:
        reader.refuse("unknown scheme", found=hex(scheme), wanted="RSASSA, RSAPSS or ECDSA")
    if algorithm not in BANKS - {Bank.SHA1}:
        reader.refuse("unknown or weak hash", found=hex(algorithm), wanted="SHA-256, SHA-384 or SHA-512")
    if scheme == Scheme.ECDSA:
        r, s = (int.from_bytes(reader.sized(name, most=_MAX_SCALAR), "big") for name in ("r", "s"))
        value = encode_dss_signature(r, s)
    else:
        value = reader.sized("signature", most=_MAX_RSA)
    reader.finish()
    return Signature(scheme=Scheme(scheme), hash=Bank(algorithm), value=value)
