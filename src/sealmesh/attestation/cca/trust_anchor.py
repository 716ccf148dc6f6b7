"""Platform keys (CPAK) that are believed, as their owner registered them.

Source: RFC 7517 and RFC 7518 section 6.2.1 (JWK); the list with implementation and instance ID is the
form of Arm's and Veraison's tools.
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.attestation.certification.public_key import key_fingerprint, parse_public_key
from sealmesh.attestation.dcap.documents import load_json
from sealmesh.errors.attestation import EndorsementFormatError

MAX_ANCHOR_BYTES = 256 * 1024
_CURVES: Mapping[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}
_SUBJECT = "cca trust anchor"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformKey:
    """A platform's attestation key.

    Attributes:
        key: The public key.
        implementation_id: 32 bytes, or None: whatever the platform says.
        instance_id: 33 bytes, or None: whatever the platform says.
    """

    key: ec.EllipticCurvePublicKey
    implementation_id: bytes | None = None
    instance_id: bytes | None = None

    @property
    def sha256(self) -> bytes:
        """The fingerprint by which a trust root names this key."""
        return key_fingerprint(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class CcaCollateral:
    """What a CCA token needs: the platform keys that are known. Which count, the trust roots say."""

    platform_keys: tuple[PlatformKey, ...]


def parse_platform_keys(data: bytes) -> tuple[PlatformKey, ...]:
    """Parse a key (JWK, PEM) or a list of objects with `pkey`, `implementation-id` and `instance-id`.

    Raises:
        EndorsementFormatError: `format:cca trust anchor` or `limit:cca trust anchor`.
    """
    if len(data) > MAX_ANCHOR_BYTES:
        raise EndorsementFormatError(
            "the list of platform keys is too long",
            code=f"limit:{_SUBJECT}",
            found=len(data),
            wanted=MAX_ANCHOR_BYTES,
        )
    if data.lstrip().startswith(b"-----BEGIN"):
        key = parse_public_key(data, subject=_SUBJECT)
        return (PlatformKey(key=key),) if isinstance(key, ec.EllipticCurvePublicKey) else _refuse("an EC key")
    document = load_json(data, subject=_SUBJECT)
    if isinstance(document, dict):
        return (PlatformKey(key=read_jwk(document)),)
    if not isinstance(document, list) or not document:
        _refuse("a JWK or a list of platforms")
    return tuple(_entry(item) for item in document)


def _entry(item: object) -> PlatformKey:
    if not isinstance(item, dict) or item.keys() != {"pkey", "implementation-id", "instance-id"}:
        _refuse("objects with pkey, implementation-id and instance-id")
    pkey = item["pkey"]
    if isinstance(pkey, str):
        pkey = load_json(pkey, subject=_SUBJECT)
    return PlatformKey(
        key=read_jwk(pkey),
        implementation_id=_hex(item["implementation-id"], 32),
        instance_id=_hex(item["instance-id"], 33),
    )


def read_jwk(jwk: object) -> ec.EllipticCurvePublicKey:
    """Return the EC key of a JWK object.

    Raises:
        EndorsementFormatError: `format:cca trust anchor`.
    """
    if not isinstance(jwk, dict) or jwk.get("kty") != "EC" or jwk.get("crv") not in _CURVES:
        _refuse("a JWK of type EC on P-256, P-384 or P-521")
    curve, length = _CURVES[jwk["crv"]]
    x, y = (_coordinate(jwk.get(name), length) for name in ("x", "y"))
    try:
        return ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
    except ValueError:
        _refuse("a point on the curve")


def _coordinate(text: object, length: int) -> int:
    """Return a coordinate: exactly as many bytes as the curve has, base64url without padding."""
    try:
        if isinstance(text, str) and len(text) == (4 * length + 2) // 3:
            octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            if len(octets) == length and not {"+", "/"} & set(text):
                return int.from_bytes(octets, "big")
    except ValueError:
        pass
    return _refuse(f"coordinates of {length} bytes in base64url")


def _hex(text: object, length: int) -> bytes:
    if not isinstance(text, str) or len(text) != 2 * length or set(text.lower()) - set("0123456789abcdef"):
        _refuse(f"identifiers of {length} bytes in hexadecimal")
    return bytes.fromhex(text)


def _refuse(wanted: str) -> NoReturn:
    raise EndorsementFormatError("a platform key cannot be read", code=f"format:{_SUBJECT}", wanted=wanted)
