"""Any bytes given to the reader of Attestation Results give our errors only, signed or not."""

import json
from base64 import urlsafe_b64encode
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealmesh.attestation.results import (
    PROFILE,
    Aspect,
    Ear,
    Form,
    Signer,
    Submodule,
    VerifierId,
    issue_ear,
    parse_token,
    sign_ear,
    status_of,
    verify_token,
)
from sealmesh.errors.results import ResultError

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.sampled_from([
    "iat", "exp", "eat_profile", "eat_nonce", "submods", "ear_status", "ear_trustworthiness_vector",
    "ear_verifier_id", "ear_appraisal_policy_ids", "ear_attester_claims", "ear_verifier_claims", "hardware",
])  # fmt: skip
NUMBERS = st.sampled_from([4, 6, 10, 265, 266, 1000, 1001, 1003, 1004, 1005, 1006, 0, 1])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from([PROFILE, "affirming", "none", 96])
)
JSON_VALUES = st.recursive(
    LEAVES | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=12,
)
CBOR_VALUES = st.recursive(
    LEAVES.filter(lambda value: type(value) is not int or abs(value) < 2**63) | st.binary(max_size=70),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NUMBERS | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=12,
)


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def signature(message: bytes) -> bytes:
    r, s = decode_dss_signature(key().sign(message, ec.ECDSA(hashes.SHA384())))
    return r.to_bytes(48, "big") + s.to_bytes(48, "big")


def encoded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def jws(claims: bytes, header: bytes = b'{"alg":"ES384"}') -> bytes:
    message = encoded(header) + b"." + encoded(claims)
    return message + b"." + encoded(signature(message))


def sign1(claims: bytes, header: bytes = cbor2.dumps({1: -35})) -> bytes:
    signed = signature(cbor2.dumps(["Signature1", header, b"", claims]))
    return cbor2.dumps(cbor2.CBORTag(18, [header, {}, claims, signed]))


def read(raw: bytes) -> Ear | None:
    """Return what was read, or None where our error was raised; anything else is a failure."""
    with suppress(ResultError):
        return verify_token(parse_token(raw), key().public_key(), now=NOW)
    return None


@cache
def genuine(form: Form) -> bytes:
    ear = issue_ear(
        {"x": Submodule(status=status_of({Aspect.HARDWARE: 2}), vector={Aspect.HARDWARE: 2})}, now=NOW
    )
    return sign_ear(ear, form, Signer(key=key(), chain=(b"one", b"two")))


def bytes_of_any_kind(raw: bytes) -> None:
    assert read(raw) is None
    assert read(b"\xd8\x3d\xd2" + raw) is None
    assert read(raw[:20].hex().encode() + b"." + raw.hex().encode() + b".AAAA") is None


@quick
@given(st.binary(max_size=400))
def test_any_bytes_are_refused(raw: bytes) -> None:
    bytes_of_any_kind(raw)


@quick
@given(st.binary(max_size=200), st.binary(max_size=60))
def test_any_signed_bytes_are_refused_or_read(claims: bytes, header: bytes) -> None:
    for token in (jws(claims), sign1(claims), jws(claims or b"x", header or b"x"), sign1(claims, header)):
        assert read(token) is None


@quick
@given(JSON_VALUES)
def test_any_signed_json_is_refused_or_read(value: Any) -> None:
    read(jws(json.dumps(value).encode()))
    claims = {
        "eat_profile": PROFILE,
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 9,
        "ear_verifier_id": {"developer": "d", "build": "b"},
        "submods": {"x": value},
    }
    read(jws(json.dumps(claims).encode()))
    if isinstance(value, dict):
        claims["submods"] = {"x": {"ear_status": "contraindicated"} | value}
        read(jws(json.dumps(claims | value).encode()))


@quick
@given(CBOR_VALUES)
def test_any_signed_cbor_is_refused_or_read(value: Any) -> None:
    read(sign1(cbor2.dumps(value)))
    claims = {265: PROFILE, 6: int(NOW.timestamp()), 4: int(NOW.timestamp()) + 9, 1004: {0: "d", 1: "b"}}
    read(sign1(cbor2.dumps(claims | {266: {"x": value}})))
    if isinstance(value, dict):
        read(sign1(cbor2.dumps(claims | {266: {"x": {1000: 96} | value}} | value)))


@pytest.mark.parametrize("form", Form)
def test_no_shorter_token_is_read(form: Form) -> None:
    token = genuine(form)
    assert read(token) is not None
    for length in range(len(token)):
        assert read(token[:length]) is None, length


def test_deep_nesting_is_refused_quickly() -> None:
    for deep in (b"[" * 30_000, b'{"a":' * 9_000):
        assert read(jws(deep)) is None
        assert read(jws(b"{}", deep)) is None
    for deep in (b"\x81" * 60_000, b"\xa1\x01" * 30_000, b"\xc1" * 60_000):
        assert read(sign1(deep)) is None
        assert read(b"\xd2" + deep) is None


TIERS = st.integers(-128, 127)
VECTORS = st.dictionaries(st.sampled_from(list(Aspect)), TIERS.filter(bool), max_size=8)
WORDS = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=20)
FACTS = st.dictionaries(
    WORDS, WORDS | st.integers(-(2**53), 2**53) | st.booleans() | st.lists(WORDS).map(tuple)
)
SUBMODULES = st.builds(
    lambda vector, policies, facts: Submodule(
        status=status_of(vector),
        vector=vector,
        policies=tuple(policies),
        attester_claims=facts,
        verifier_claims=facts,
    ),
    VECTORS,
    st.lists(WORDS, max_size=3),
    FACTS,
)


@quick
@given(
    st.dictionaries(WORDS, SUBMODULES, min_size=1, max_size=4), st.none() | st.binary(min_size=8, max_size=64)
)
def test_whatever_is_issued_is_read_back(submodules: dict[str, Submodule], nonce: bytes | None) -> None:
    ear = issue_ear(submodules, now=NOW, nonce=nonce)
    assert ear.verifier == VerifierId(developer="sealmesh", build=ear.verifier.build)
    for form in Form:
        assert read(sign_ear(ear, form, Signer(key=key()))) == ear


@pytest.mark.slow
@thorough
@given(st.binary(max_size=3000))
def test_any_bytes_are_refused_thoroughly(raw: bytes) -> None:
    bytes_of_any_kind(raw)
