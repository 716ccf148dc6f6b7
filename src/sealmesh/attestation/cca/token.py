"""Reading an Arm CCA attestation token: a platform token and a realm token, tied together.

Source: Arm DEN0137, Realm Management Monitor specification, section A7.2 "Realm attestation" (claims of
realm and platform token, CDDL); draft-ffm-rats-cca-token section 4.
"""

from dataclasses import dataclass

from sealmesh.attestation.cbor import Tagged, Value, decode
from sealmesh.attestation.claim_map import ClaimMap
from sealmesh.attestation.cose import ES256, ES384, ES512, Sign1, parse_sign1
from sealmesh.errors.attestation import EvidenceFormatError

MAX_TOKEN_BYTES = 64 * 1024
"""A token has about 2 kB."""

TOKEN_TAG = 399
PLATFORM_PROFILES = ("http://arm.com/CCA-SSD/1.0.0", "tag:arm.com,2023:cca_platform#1.0.0")
REALM_PROFILES = ("tag:arm.com,2023:realm#1.0.0",)

_PREFIX = b"\xd9\x01\x8f"
_PLATFORM, _REALM = 44234, 44241
_ALGORITHMS = frozenset({ES256, ES384, ES512})
_DIGEST = (32, 48, 64)
_MAX_COMPONENTS = 64
_REM_COUNT = 4
_OUTER, _PLATFORM_TOKEN, _REALM_TOKEN = "cca token", "cca platform token", "cca realm token"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareComponent:
    """A part of the platform's firmware.

    Attributes:
        name: What it is called, or None.
        measurement: Its digest.
        signer_id: The digest of its signer's key.
        version: Or None.
        hash_alg: Of the measurement, or None where it is the platform's.
    """

    name: str | None
    measurement: bytes
    signer_id: bytes
    version: str | None
    hash_alg: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformToken:
    """What the platform says about itself; lengths as in `CcaClaims`.

    Attributes:
        sign1: The signature around it.
        challenge: The digest of the realm's key.
    """

    sign1: Sign1
    profile: str
    challenge: bytes
    implementation_id: bytes
    instance_id: bytes
    config: bytes
    lifecycle: int
    hash_alg: str
    software_components: tuple[SoftwareComponent, ...]
    verification_service: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RealmToken:
    """What the realm management monitor says about a realm; lengths as in `CcaClaims`.

    Attributes:
        sign1: The signature around it.
        public_key: The realm attestation key, a raw point or a COSE_Key, exactly as it was hashed.
        public_key_hash_alg: How it was hashed for the platform token's challenge.
    """

    sign1: Sign1
    challenge: bytes
    personalization: bytes
    rim: bytes
    rems: tuple[bytes, ...]
    hash_alg: str
    public_key: bytes
    public_key_hash_alg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CcaToken:
    """A token taken apart; nothing is verified."""

    platform: PlatformToken
    realm: RealmToken


def is_cca_token(raw: bytes) -> bool:
    """Return whether the evidence could be a token: CBOR tag 399."""
    return raw.startswith(_PREFIX)


def parse_cca_token(raw: bytes) -> CcaToken:
    """Parse a token.

    Raises:
        EvidenceFormatError: `format:` or `limit:` and `cca token`, `cca platform token`, `cca realm token`.
    """
    if len(raw) > MAX_TOKEN_BYTES:
        raise EvidenceFormatError(
            "the CCA token is too long",
            code=f"limit:{_OUTER}",
            found=f"{len(raw)} bytes",
            wanted=MAX_TOKEN_BYTES,
        )
    outer = decode(raw, subject=_OUTER)
    if not isinstance(outer, Tagged) or outer.tag != TOKEN_TAG:
        raise EvidenceFormatError("not a CCA token", code=f"format:{_OUTER}", wanted=f"CBOR tag {TOKEN_TAG}")
    collection = ClaimMap(outer.value, _OUTER)
    collection.only(frozenset({_PLATFORM, _REALM}))
    everything = range(1, MAX_TOKEN_BYTES)
    return CcaToken(
        platform=_platform(collection.octets(_PLATFORM, lengths=everything)),
        realm=_realm(collection.octets(_REALM, lengths=everything)),
    )


def _platform(raw: bytes) -> PlatformToken:
    sign1, claims = _open(raw, _PLATFORM_TOKEN)
    profile = claims.text(265)
    if profile not in PLATFORM_PROFILES:
        claims.refuse("profile", " or ".join(PLATFORM_PROFILES))
    instance_id = claims.octets(256, lengths=(33,))
    if instance_id[0] != 1:
        claims.refuse("instance ID", "a UEID of type 1")
    return PlatformToken(
        sign1=sign1,
        profile=profile,
        challenge=claims.octets(10, lengths=_DIGEST),
        implementation_id=claims.octets(2396, lengths=(32,)),
        instance_id=instance_id,
        config=claims.octets(2401, lengths=range(1025)),
        lifecycle=_lifecycle(claims),
        hash_alg=claims.text(2402),
        software_components=tuple(_component(item) for item in claims.items(2399, most=_MAX_COMPONENTS)),
        verification_service=claims.text(2400) if 2400 in claims else None,
    )


def _lifecycle(claims: ClaimMap) -> int:
    """Return a state that the specification knows: the upper byte is 00, 10, 20, ... or 60."""
    state = claims.number(2395, most=0x60FF)
    if state >> 8 not in range(0, 0x61, 0x10):
        claims.refuse("lifecycle", "a state that is defined")
    return state


def _component(value: Value) -> SoftwareComponent:
    claims = ClaimMap(value, _PLATFORM_TOKEN)
    return SoftwareComponent(
        name=claims.text(1) if 1 in claims else None,
        measurement=claims.octets(2, lengths=_DIGEST),
        version=claims.text(4) if 4 in claims else None,
        signer_id=claims.octets(5, lengths=_DIGEST),
        hash_alg=claims.text(6) if 6 in claims else None,
    )


def _realm(raw: bytes) -> RealmToken:
    sign1, claims = _open(raw, _REALM_TOKEN)
    if 265 in claims and claims.text(265) not in REALM_PROFILES:
        claims.refuse("profile", " or ".join(REALM_PROFILES))
    rems = claims.items(44239, most=_REM_COUNT)
    if len(rems) != _REM_COUNT:
        claims.refuse("extensible measurements", f"{_REM_COUNT} digests")
    return RealmToken(
        sign1=sign1,
        challenge=claims.octets(10, lengths=(64,)),
        personalization=claims.octets(44235, lengths=(64,)),
        rim=claims.octets(44238, lengths=_DIGEST),
        rems=tuple(_measurement(claims, item) for item in rems),
        hash_alg=claims.text(44236),
        public_key=claims.octets(44237, lengths=range(1, 257)),
        public_key_hash_alg=claims.text(44240),
    )


def _measurement(claims: ClaimMap, value: Value) -> bytes:
    if not isinstance(value, bytes) or len(value) not in _DIGEST:
        claims.refuse("extensible measurements", "four digests")
    return value


def _open(raw: bytes, subject: str) -> tuple[Sign1, ClaimMap]:
    """Return the signature around a token and the claims inside."""
    sign1 = parse_sign1(decode(raw, subject=subject), subject=subject, algorithms=_ALGORITHMS)
    return sign1, ClaimMap(decode(sign1.payload, subject=subject), subject)
