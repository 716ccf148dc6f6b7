"""Attestation Results, JWT and CWT: what verifies says what the genuine says."""

from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec

from fuzz.target import Target
from sealmesh.attestation.results import (
    Aspect,
    Ear,
    Form,
    Signer,
    Submodule,
    Tier,
    issue_ear,
    parse_token,
    sign_ear,
    verify_token,
)

KEY = ec.derive_private_key(0x5EA1, ec.SECP384R1())
NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
WORDS = (
    b'"alg":"none"',
    b'"crit":["b64"]',
    b"eyJhbGciOiJFUzM4NCJ9",
    b".",
    b"=",
    b"\xd8\x3d\xd2",
    b"\x18\x21",
    b"\x01\x38\x22",
)


def genuine_ear() -> Ear:
    """Return what the seeds say."""
    submodule = Submodule(
        status=Tier.WARNING,
        vector={Aspect.HARDWARE: 32, Aspect.EXECUTABLES: 3},
        policies=("policy",),
        attester_claims={"debug": False},
        verifier_claims={"advisories": ("a", "b")},
    )
    return issue_ear({"sgx": submodule}, now=NOW, nonce=b"a nonce of it")


@cache
def _seeds() -> dict[str, bytes]:
    signer = Signer(key=KEY, chain=(b"signer", b"root"))
    return {form.value: sign_ear(genuine_ear(), form, signer) for form in Form}


def _verify(token: bytes) -> None:
    found = verify_token(parse_token(token), KEY.public_key(), now=NOW)
    assert found == genuine_ear(), "a forged result verifies"


TARGET = Target(run=_verify, seeds=_seeds, words=WORDS, longest=64 * 1024)
