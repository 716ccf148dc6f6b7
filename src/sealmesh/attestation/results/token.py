"""Attestation Results as signed tokens: sign an EAR, and read one back.

    token = sign_ear(ear, Form.JWT, signer)
    unverified = parse_token(raw)                        form only; `chain` says whose it claims to be
    ear = verify_token(unverified, key, now=..., nonce=...)

Whether `key` is that of somebody one trusts is the caller's business (`client.result` for a mesh).

One algorithm: ES384 on P-384, the curve of a mesh's authority. Nothing that is named in a header is ever
fetched, and no key in one is used.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.attestation.cbor import encode
from sealmesh.attestation.cose import signature_structure
from sealmesh.attestation.fixed_ecdsa import verify_fixed_ecdsa
from sealmesh.attestation.results import jws, sign1
from sealmesh.attestation.results.claims_set import claims_set, read_claims_set
from sealmesh.attestation.results.ear import PROFILE, Ear
from sealmesh.attestation.results.envelope import UnverifiedEnvelope
from sealmesh.attestation.results.spelling import CBOR, JSON
from sealmesh.errors.attestation import VerificationError
from sealmesh.errors.results import ResultFormatError, ResultVerificationError

MAX_TOKEN_BYTES = 64 * 1024
CLOCK_SKEW = timedelta(minutes=1)
"""How much the verifier's clock may be before the reader's."""
_SCALAR_BYTES = 48


class Form(StrEnum):
    """The two serializations."""

    JWT = "jwt"
    CWT = "cwt"

    @property
    def media_type(self) -> str:
        """The media type (RFC 9782) with the profile."""
        return f'application/eat+{self.value}; eat_profile="{PROFILE}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs.

    Attributes:
        key: On P-384.
        chain: Certificates (DER) that a reader can tie the key to somebody by, the key's own first. The
            token also names the key by the SHA-256 of its SubjectPublicKeyInfo, as `kid`.
    """

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    chain: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.key.curve, ec.SECP384R1):
            raise ResultFormatError(
                "results are signed with a key on P-384",
                code="result-key",
                found=self.key.curve.name,
                wanted="secp384r1",
                remedy="Make one: openssl ecparam -name secp384r1 -genkey -noout -out key.pem",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedToken:
    """A token whose form is known and nothing else."""

    form: Form
    envelope: UnverifiedEnvelope

    @property
    def chain(self) -> tuple[bytes, ...]:
        """Whose it claims to be: certificates, DER, the signer's own first. Nobody looked at them."""
        return self.envelope.chain


def sign_ear(ear: Ear, form: Form, signer: Signer) -> bytes:
    """Return the signed token; it was read back before it is returned.

    Raises:
        ResultFormatError: The EAR says what no reader would accept.
    """
    key_id = _thumbprint(signer.key.public_key())
    if form is Form.JWT:
        header, claims = jws.encode_header(signer.chain, key_id), jws.encode_claims(claims_set(ear, JSON))
        token = jws.assemble(header, claims, _sign(signer.key, jws.message(header, claims)))
    else:
        header, claims = sign1.encode_header(signer.chain, key_id), encode(claims_set(ear, CBOR))
        token = sign1.assemble(header, claims, _sign(signer.key, signature_structure(header, claims)))
    verify_token(parse_token(token), signer.key.public_key(), now=ear.issued, nonce=ear.nonce)
    return token


def parse_token(raw: bytes) -> UnverifiedToken:
    """Recognize and take apart a token: a JWT (one line end after it may be), or a CWT.

    Raises:
        ResultFormatError: It is neither, too long, or not signed with ES384.
    """
    if len(raw) > MAX_TOKEN_BYTES:
        raise ResultFormatError(
            "the token is too long", code="result-size", found=len(raw), wanted=f"at most {MAX_TOKEN_BYTES}"
        )
    if sign1.is_sign1(raw):
        return UnverifiedToken(form=Form.CWT, envelope=sign1.parse_sign1(raw))
    line = raw.removesuffix(b"\n")
    if jws.is_jws(line):
        return UnverifiedToken(form=Form.JWT, envelope=jws.parse_jws(line))
    raise ResultFormatError("neither a JWT nor a CWT", wanted="three parts of base64url, or tag 61 or 18")


def verify_token(token: UnverifiedToken, key: object, *, now: datetime, nonce: bytes | None = None) -> Ear:
    """Return what the token says, if `key` signed it and it is valid at `now`.

    Args:
        token: From `parse_token`.
        key: A public key that is trusted, not one that came with the token.
        now: Aware UTC.
        nonce: What the reader had sent; the token must say it. None: it may say any, or none.

    Raises:
        ResultVerificationError: `result-key`, `result-signature`, `result-early`, `result-expired` or
            `result-nonce`.
        ResultFormatError: The claims are not those of an EAR.
    """
    _verify_signature(token.envelope, key)
    claims = token.envelope.claims
    if token.form is Form.JWT:
        ear = read_claims_set(jws.read_json(claims, what="the claims set"), JSON)
    else:
        ear = read_claims_set(sign1.read_cbor(claims, what="the claims set"), CBOR)
    _verify_time(ear, now)
    if nonce is not None and ear.nonce != nonce:
        raise ResultVerificationError(
            "the result is not for this nonce",
            code="result-nonce",
            found="none" if ear.nonce is None else ear.nonce.hex(),
            wanted=nonce.hex(),
        )
    return ear


def _verify_signature(envelope: UnverifiedEnvelope, key: object) -> None:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise ResultVerificationError(
            "the signer's key is of a kind that signs no results",
            code="result-key",
            found=key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__,
            wanted="P-384",
        )
    try:
        verify_fixed_ecdsa(
            key, envelope.signature, envelope.message, curve=ec.SECP384R1, digest=SHA384(), subject="result"
        )
    except VerificationError as error:
        raise ResultVerificationError("the signature over the result does not verify") from error


def _verify_time(ear: Ear, now: datetime) -> None:
    if now + CLOCK_SKEW < ear.issued:
        raise ResultVerificationError(
            "the result is from the future",
            code="result-early",
            found=f"issued {ear.issued:%Y-%m-%dT%H:%M:%SZ}",
            wanted=f"not after {now:%Y-%m-%dT%H:%M:%SZ}",
        )
    if now >= ear.expires:
        raise ResultVerificationError(
            "the result has expired",
            code="result-expired",
            found=f"expired {ear.expires:%Y-%m-%dT%H:%M:%SZ}",
            wanted=f"valid at {now:%Y-%m-%dT%H:%M:%SZ}",
        )


def _sign(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA384())))
    return r.to_bytes(_SCALAR_BYTES, "big") + s.to_bytes(_SCALAR_BYTES, "big")


def _thumbprint(key: ec.EllipticCurvePublicKey) -> bytes:
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
