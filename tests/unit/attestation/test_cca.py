"""CCA tokens: what a forged one is refused for (the real ones are vectors)."""

import importlib.util
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.attestation import (
    CcaClaims,
    CcaCollateral,
    Family,
    NoCollateral,
    PlatformKey,
    TrustRoot,
    VerifiedEvidence,
    parse_evidence,
    parse_platform_keys,
    verify,
)
from sealmesh.errors.attestation import AttestationError, EndorsementFormatError


def _load(name: str) -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "evidence" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"evidence_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


maker = _load("cca")
NOW = datetime(2031, 3, 1, tzinfo=UTC)
KEY = PlatformKey(key=maker.PLATFORM_KEY.public_key())
GENUINE = maker.Token()


def checked(
    raw: bytes, *, keys: tuple[PlatformKey, ...] = (KEY,), root: bytes = KEY.sha256
) -> VerifiedEvidence:
    return verify(
        parse_evidence(raw),
        CcaCollateral(platform_keys=keys),
        roots=[TrustRoot(name="lab", family=Family.CCA, sha256=root)],
        now=NOW,
    )


def refusal(raw: bytes, **arguments: Any) -> str:
    with pytest.raises(AttestationError) as caught:
        checked(raw, **arguments)
    return caught.value.code


def test_genuine_token_gives_its_claims() -> None:
    claims = checked(GENUINE.encode()).claims
    assert isinstance(claims, CcaClaims)
    assert (claims.rim, claims.lifecycle, claims.secured) == (b"\1" * 64, 0x3003, True)
    assert [component.name for component in claims.sw_components] == ["TF-A"]


@pytest.mark.parametrize("extra", [{}, {"_3": -35}, {"_4": [2]}, {"_4": [1, 2]}])
def test_realm_key_may_be_a_cose_key(extra: dict[str, Any]) -> None:
    key = maker.cose_key(maker.REALM_KEY, **extra)
    assert checked(GENUINE.with_realm({44237: key}).encode()).family is Family.CCA


OTHER = ec.derive_private_key(47, ec.SECP384R1())
SMALLER = ec.derive_private_key(47, ec.SECP256R1())
ATTACKS: list[tuple[str, Any, str]] = [
    ("platform token signed by somebody else", GENUINE.but(platform_key=OTHER), "signature:platform token"),
    ("realm token signed by somebody else", GENUINE.but(realm_key=OTHER), "signature:realm token"),
    (
        "realm key that the platform does not vouch for",
        GENUINE.but(realm_key=OTHER).with_realm({44237: maker.point(OTHER)}).with_platform(
            {10: b"\0" * 32}
        ),
        "binding:realm key",
    ),
    (
        "hash algorithm that nobody knows, with a challenge to match",
        GENUINE.with_realm({44240: "md5"}).with_platform({10: b"\0" * 32}),
        "binding:realm key",
    ),
    (
        "hash algorithm without a digest, and an empty challenge",
        GENUINE.with_realm({44240: "none"}).with_platform({10: b""}),
        "format:cca platform token",
    ),
    (
        "digest cut short",
        GENUINE.with_platform({10: b"\0" * 16}),
        "format:cca platform token",
    ),
    (
        "realm key for another algorithm",
        GENUINE.with_realm({44237: maker.cose_key(maker.REALM_KEY, _3=-7)}),
        "format:cca realm key",
    ),
    (
        "realm key that may only encrypt",
        GENUINE.with_realm({44237: maker.cose_key(maker.REALM_KEY, _4=[3])}),
        "format:cca realm key",
    ),
    (
        "realm key that is not on its curve",
        GENUINE.with_realm({44237: b"\4" + bytes(96)}),
        "format:cca realm key",
    ),
    ("realm key on another curve than the signature's", GENUINE.with_realm(
        {44237: maker.point(SMALLER)}), "signature:realm token"),
    ("unknown profile", GENUINE.with_platform({265: "http://arm.com/PSA"}), "format:cca platform token"),
    ("no profile", GENUINE.with_platform({265: None}), "format:cca platform token"),
    ("unknown realm profile", GENUINE.with_realm({265: "tag:x"}), "format:cca realm token"),
    ("lifecycle that is not defined", GENUINE.with_platform({2395: 0x7000}), "format:cca platform token"),
    ("lifecycle between two states", GENUINE.with_platform({2395: 0x3100}), "format:cca platform token"),
    ("three extensible measurements", GENUINE.with_realm({44239: [bytes(32)] * 3}), "format:cca realm token"),
    ("five extensible measurements", GENUINE.with_realm({44239: [bytes(32)] * 5}), "format:cca realm token"),
    ("measurement of 33 bytes", GENUINE.with_realm({44238: bytes(33)}), "format:cca realm token"),
    ("no software components", GENUINE.with_platform({2399: []}), "format:cca platform token"),
    ("challenge of 32 bytes", GENUINE.with_realm({10: bytes(32)}), "format:cca realm token"),
    ("instance ID of another type", GENUINE.with_platform({256: bytes(33)}), "format:cca platform token"),
    ("a third token", GENUINE.but(extra={44242: b""}), "format:cca token"),
    (
        "tokens in each other's place",
        GENUINE.but(realm=GENUINE.platform, platform=GENUINE.realm | {10: bytes(64)}),
        "format:cca platform token",
    ),
    (
        "MAC instead of a signature",
        GENUINE.but(sign=lambda key, payload: maker.sign1(key, payload, protected={1: 5})),
        "format:cca platform token",
    ),
    (
        "critical header that nobody knows",
        GENUINE.but(sign=lambda key, payload: maker.sign1(key, payload, protected={1: -35, 2: [99], 99: 1})),
        "format:cca platform token",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "token", "code"), ATTACKS, ids=[attack for attack, _, _ in ATTACKS])
def test_attack_is_refused(attack: str, token: Any, code: str) -> None:
    raw = token.encode()
    assert refusal(raw) == code


def test_anything_after_the_token_is_refused() -> None:
    assert refusal(GENUINE.encode() + b"\0") == "format:cca token"


def test_platform_that_nobody_registered_is_refused() -> None:
    stranger = PlatformKey(key=KEY.key, implementation_id=b"\3" * 32, instance_id=b"\1" * 33)
    assert refusal(GENUINE.encode(), keys=(stranger,)) == "trust anchor:platform"


def test_key_that_is_no_trust_root_is_refused() -> None:
    assert refusal(GENUINE.encode(), root=bytes(32)) == "root:platform key"


def test_collateral_of_another_family_is_refused() -> None:
    with pytest.raises(AttestationError) as caught:
        verify(
            parse_evidence(GENUINE.encode()),
            NoCollateral(),
            roots=[TrustRoot(name="lab", family=Family.CCA, sha256=KEY.sha256)],
            now=NOW,
        )
    assert caught.value.code == "collateral:family"


def jwk(**changes: object) -> dict[str, object]:
    numbers = maker.PLATFORM_KEY.public_key().public_numbers()
    x, y = (
        urlsafe_b64encode(value.to_bytes(48, "big")).rstrip(b"=").decode() for value in (numbers.x, numbers.y)
    )
    return {"kty": "EC", "crv": "P-384", "x": x, "y": y, **changes}


def test_platform_keys_are_read_from_jwk_pem_and_a_register() -> None:
    pem = KEY.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    entry = {"pkey": jwk(), "implementation-id": "03" * 32, "instance-id": "01" + "02" * 32}
    for data in (json.dumps(jwk()).encode(), pem, json.dumps([entry]).encode()):
        keys = parse_platform_keys(data)
        assert keys[0].sha256 == KEY.sha256
        assert checked(GENUINE.encode(), keys=keys).family is Family.CCA


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b"7",
        json.dumps(jwk(kty="RSA")).encode(),
        json.dumps(jwk(crv="secp256k1")).encode(),
        json.dumps(jwk(x="AA")).encode(),
        json.dumps(jwk(x=jwk()["y"])).encode(),
        json.dumps([{"pkey": jwk(), "implementation-id": "03", "instance-id": "01" * 33}]).encode(),
        b" " * (256 * 1024 + 1),
    ],
)
def test_platform_keys_of_another_form_are_refused(document: bytes) -> None:
    with pytest.raises(EndorsementFormatError):
        parse_platform_keys(document)
