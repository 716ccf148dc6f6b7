"""NVIDIA devices: what forged measurements are refused for (real ones are vectors)."""

import importlib.util
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.attestation import (
    Family,
    GpuClaims,
    GpuCollateral,
    GpuReference,
    TrustRoot,
    Unchecked,
    VerifiedEvidence,
    appraise,
    encode_gpu_evidence,
    parse_evidence,
    verify,
)
from sealmesh.errors.attestation import AppraisalError, AttestationError


def _load(name: str) -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "evidence" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"evidence_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


maker = _load("gpu")
GENUINE = maker.Exchange()
NONCE = bytes(range(32))


def checked(
    raw: bytes, *, chain: bytes | None = None, root: bytes = maker.ROOT_SHA256, **collateral: Any
) -> VerifiedEvidence:
    given = {"chain": maker.CHAIN if chain is None else chain, "crls": Unchecked(), "nonce": NONCE}
    return verify(
        parse_evidence(raw),
        GpuCollateral(**{**given, **collateral}),
        roots=[TrustRoot(name="lab", family=Family.GPU, sha256=root)],
        now=maker.NOW,
    )


def refusal(raw: bytes, **arguments: Any) -> str:
    with pytest.raises(AttestationError) as caught:
        checked(raw, **arguments)
    return caught.value.code


def test_genuine_device_gives_its_claims() -> None:
    verified = checked(GENUINE.encode())
    claims = verified.claims
    assert isinstance(claims, GpuClaims)
    assert (claims.driver, claims.vbios, claims.mode) == ("590.12", "96.00.A5.00.01", 2)
    assert (claims.device, claims.model, len(claims.measurements)) == ("CN=Device", "CN=Family", 3)
    assert verified.expires == maker.NOW + timedelta(days=30)


def test_evidence_may_bring_its_chain() -> None:
    raw = encode_gpu_evidence(exchange=GENUINE.encode(), chain=maker.CHAIN)
    assert checked(raw, chain=b"").family is Family.GPU


ATTACKS: list[tuple[str, Any, str]] = [
    ("request without signature", GENUINE.but(request=bytes.fromhex("11e000ff")), "format:spdm measurements"),
    ("request for one of them", GENUINE.but(request=bytes.fromhex("11e00101")), "format:spdm measurements"),
    ("response to another slot", GENUINE.but(slot=1), "format:spdm measurements"),
    ("response of another version", GENUINE.but(response=b"\x12\x60\0\0"), "format:spdm measurements"),
    ("response to another request", GENUINE.but(response=b"\x11\x61\0\0"), "format:spdm measurements"),
    ("index twice", GENUINE.but(blocks=[maker.block(1, bytes(48))] * 2), "format:spdm measurements"),
    ("block that is not DMTF's", GENUINE.but(blocks=[maker.block(1, b"", specification=2)]),
     "format:spdm measurements"),
    ("fewer blocks than there are", GENUINE.but(count=2), "format:spdm measurements"),
    ("more blocks than there are", GENUINE.but(count=4), "format:spdm measurements"),
    ("something after the signature", GENUINE.but(tail=b"\0"), "format:spdm measurements"),
    ("field twice", GENUINE.but(fields=[(3, b"1"), (3, b"2")]), "format:gpu opaque data"),
    ("another device's key", GENUINE.but(key=ec.derive_private_key(97, ec.SECP384R1())),
     "signature:measurements"),
    ("another challenge", GENUINE.but(nonce=bytes(32)), "nonce"),
    ("firmware that the certificate is not for", GENUINE.but(fields=[(20, bytes(48))]), "binding:firmware"),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "exchange", "code"), ATTACKS, ids=[attack for attack, _, _ in ATTACKS])
def test_attack_is_refused(attack: str, exchange: Any, code: str) -> None:
    assert refusal(exchange.encode()) == code


OTHER = ec.derive_private_key(101, ec.SECP384R1())


def certified(**changes: Any) -> bytes:
    """A chain whose device certificate is made otherwise."""
    how = {"name": "Device", "issuer": "Family", "issuer_key": maker.CA_KEY, "ca": False, **changes}
    key = how.pop("key", maker.DEVICE_KEY)
    return maker.pem(maker.certificate(key, **how), maker.CA, maker.ROOT)


@pytest.mark.parametrize(
    ("attack", "chain", "code"),
    [
        ("expired", certified(days=-1), "expired:gpu device"),
        ("signed by somebody else", certified(issuer_key=OTHER), "signature:gpu device"),
        ("issued by another", certified(issuer="Root", issuer_key=maker.ROOT_KEY), "chain:gpu device"),
        ("a CA itself", certified(ca=True), "profile:gpu device"),
        ("without its CA", maker.pem(maker.DEVICE, maker.ROOT), "chain:gpu device"),
        ("without its root", maker.pem(maker.DEVICE, maker.CA), "root:gpu root"),
        ("root first", maker.pem(maker.ROOT, maker.CA, maker.DEVICE), "root:gpu root"),
        ("nothing", b"", "limit:chain"),
    ],
)
def test_chain_that_does_not_hold_is_refused(attack: str, chain: bytes, code: str) -> None:
    assert refusal(GENUINE.encode(), chain=chain) == code


def test_device_of_another_vendor_is_refused() -> None:
    assert refusal(GENUINE.encode(), root=bytes(32)) == "root:gpu root"


def test_fresh_lists_that_name_nobody_are_accepted() -> None:
    crls = (maker.crl(), maker.crl(issuer="Family", key=maker.CA_KEY))
    assert checked(GENUINE.encode(), crls=crls).expires == maker.NOW + timedelta(days=10)


def test_no_lists_are_not_the_same_as_unchecked() -> None:
    assert refusal(GENUINE.encode(), crls=()) == "limit:gpu crl"


@pytest.mark.parametrize(
    ("attack", "crl", "code"),
    [
        ("CA revoked", maker.crl(len("Family")), "revoked:gpu ca 1"),
        ("device revoked", maker.crl(len("Device"), issuer="Family", key=maker.CA_KEY), "revoked:gpu device"),
        ("stale", maker.crl(days=-1), "expired:crl"),
        ("another CA's", maker.crl(issuer="Other"), "crl issuer:gpu root"),
        ("signed by somebody else", maker.crl(key=OTHER), "crl sig:gpu root"),
    ],
)
def test_revocation_counts(attack: str, crl: bytes, code: str) -> None:
    assert refusal(GENUINE.encode(), crls=(crl,)) == code


REFERENCE = GpuReference(
    drivers=frozenset({"590.12"}),
    vbioses=frozenset({"96.00.A5.00.01"}),
    mode=2,
    measurements={1: frozenset({b"\1" * 48})},
)


def test_device_is_appraised_by_versions_mode_and_measurements() -> None:
    verified = checked(GENUINE.encode())
    appraise(verified, REFERENCE, report_data=NONCE)
    other = GpuReference(
        drivers=frozenset({"1"}), vbioses=frozenset({"2"}), mode=0, measurements={9: frozenset({b"\1"})}
    )
    with pytest.raises(AppraisalError) as caught:
        appraise(verified, other, report_data=b"other")
    assert {mismatch.field for mismatch in caught.value.mismatches} == {
        "Driver", "VBIOS", "Mode", "Measurements[9]", "ReportData",
    }  # fmt: skip
