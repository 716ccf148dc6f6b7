"""CCA tokens as a platform would make them, or as somebody would forge them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import new
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ES = {-7: (SHA256, 32), -35: (SHA384, 48), -36: (SHA512, 66)}
PLATFORM_KEY = ec.derive_private_key(41, ec.SECP384R1())
REALM_KEY = ec.derive_private_key(43, ec.SECP384R1())


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def cose_key(key: ec.EllipticCurvePrivateKey, **extra: object) -> bytes:
    numbers = key.public_key().public_numbers()
    members = {1: 2, -1: 2, -2: numbers.x.to_bytes(48, "big"), -3: numbers.y.to_bytes(48, "big")}
    return cbor2.dumps({**members, **{int(name[1:]): value for name, value in extra.items()}})


def sign1(
    key: ec.EllipticCurvePrivateKey, payload: bytes, *, algorithm: int = -35, protected: Any = None
) -> bytes:
    header = cbor2.dumps({1: algorithm} if protected is None else protected)
    digest, half = ES[algorithm]
    message = cbor2.dumps(["Signature1", header, b"", payload])
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(digest())))
    signature = r.to_bytes(half, "big") + s.to_bytes(half, "big")
    return cbor2.dumps(cbor2.CBORTag(18, [header, {}, payload, signature]))


def realm_claims() -> dict[Any, Any]:
    return {
        10: bytes(64),
        44235: bytes(64),
        44236: "sha-512",
        44237: point(REALM_KEY),
        44238: b"\1" * 64,
        44239: [bytes((n,)) * 64 for n in range(4)],
        44240: "sha-256",
    }


def platform_claims() -> dict[Any, Any]:
    return {
        256: b"\1" + b"\2" * 32,
        265: "http://arm.com/CCA-SSD/1.0.0",
        2395: 0x3003,
        2396: b"\3" * 32,
        2399: [{1: "TF-A", 2: b"\4" * 32, 4: "1.2", 5: b"\5" * 32}],
        2401: b"config",
        2402: "sha-256",
    }


@dataclass(frozen=True, kw_only=True)
class Token:
    """What goes into a token; `but` forges a part."""

    realm: dict[Any, Any] = field(default_factory=realm_claims)
    platform: dict[Any, Any] = field(default_factory=platform_claims)
    platform_key: ec.EllipticCurvePrivateKey = PLATFORM_KEY
    realm_key: ec.EllipticCurvePrivateKey = REALM_KEY
    tag: int = 399
    extra: dict[int, Any] = field(default_factory=dict)
    sign: Callable[..., bytes] = sign1

    def but(self, **changes: Any) -> "Token":
        return replace(self, **changes)

    def with_realm(self, claims: dict[Any, Any]) -> "Token":
        return self.but(realm={**self.realm, **claims})

    def with_platform(self, claims: dict[Any, Any]) -> "Token":
        return self.but(platform={**self.platform, **claims})

    def encode(self) -> bytes:
        platform = dict(self.platform)
        if 10 not in platform:  # the binding, as a platform makes it
            name = self.realm[44240].replace("-", "")
            platform[10] = new(name, self.realm[44237]).digest()
        parts = {
            44234: self.sign(self.platform_key, cbor2.dumps(_present(platform))),
            44241: self.sign(self.realm_key, cbor2.dumps(_present(self.realm))),
        }
        return cbor2.dumps(cbor2.CBORTag(self.tag, {**parts, **self.extra}))


def _present(claims: dict[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in claims.items() if value is not None}
