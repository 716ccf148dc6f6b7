"""How JSON and CBOR spell the same claims set: names or numbers, words or codes, base64 or bytes.

Source: draft-ietf-rats-ear-04, figures "EAR" and "EAR Appraisal Claims"; draft-ietf-rats-ar4si-10, "Data
Model"; RFC 9711 (`eat_profile`, `submods`, `eat_nonce`); RFC 8392 (`iat`, `exp`).
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sealmesh.attestation.results.trust import Aspect, Tier


class Claim(Enum):
    """A claim by its name in JSON and its number in CBOR."""

    EXPIRES = ("exp", 4)
    ISSUED = ("iat", 6)
    NONCE = ("eat_nonce", 10)
    PROFILE = ("eat_profile", 265)
    SUBMODULES = ("submods", 266)
    STATUS = ("ear_status", 1000)
    VECTOR = ("ear_trustworthiness_vector", 1001)
    POLICIES = ("ear_appraisal_policy_ids", 1003)
    VERIFIER = ("ear_verifier_id", 1004)
    ATTESTER_CLAIMS = ("ear_attester_claims", 1005)
    VERIFIER_CLAIMS = ("ear_verifier_claims", 1006)
    DEVELOPER = ("developer", 0)
    BUILD = ("build", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """One serialization's choices. The readers return None for what does not belong to it."""

    key: Callable[[Claim], str | int]
    aspect: Callable[[Aspect], str | int]
    tier: Callable[[Tier], str | int]
    octets: Callable[[bytes], str | bytes]
    read_octets: Callable[[object], bytes | None]


def _from_base64(value: object) -> bytes | None:
    try:
        return b64decode(value, validate=True) if isinstance(value, str) else None
    except ValueError:
        return None


JSON = Spelling(
    key=lambda claim: claim.value[0],
    aspect=lambda aspect: aspect.word,
    tier=lambda tier: tier.word,
    octets=lambda data: b64encode(data).decode("ascii"),
    read_octets=_from_base64,
)
CBOR = Spelling(
    key=lambda claim: claim.value[1],
    aspect=int,
    tier=int,
    octets=bytes,
    read_octets=lambda value: value if isinstance(value, bytes) else None,
)
