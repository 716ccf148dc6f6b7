"""The cache saves work and never changes a verdict."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from sealmesh.attestation import VerificationCache
from sealmesh.attestation import cache as cache_module
from sealmesh.attestation.dcap.endorsements import verify_endorsements
from sealmesh.attestation.dcap.platform import verify_platform
from sealmesh.attestation.dcap.quote_signature import certify_key
from sealmesh.attestation.simulated import create_platform, create_vendor
from sealmesh.errors.attestation import VerificationError

Scene = Any


@pytest.fixture
def verified_platforms(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Count how often a platform is really verified."""
    calls: list[bytes] = []

    def counting(pck_chain: bytes, *arguments: Any, **keywords: Any) -> Any:
        calls.append(pck_chain)
        return verify_platform(pck_chain, *arguments, **keywords)

    monkeypatch.setattr(cache_module, "verify_platform", counting)
    return calls


def test_platform_seen_before_is_not_verified_again(scene: Scene, verified_platforms: list[bytes]) -> None:
    cache = VerificationCache()
    first = scene.verify(cache=cache)
    again = scene.but(quote=scene.platform.quote(scene.enclave, bytes(64))).verify(cache=cache)
    assert len(verified_platforms) == len(cache) == 1
    assert again.claims == replace(first.claims, report_data=bytes(64))
    assert (again.tcb, again.root, again.expires) == (first.tcb, first.root, first.expires)


def test_quote_is_always_verified(scene: Scene) -> None:
    cache = VerificationCache()
    scene.verify(cache=cache)
    forged = bytearray(scene.quote)
    forged[48 + 64] ^= 1
    with pytest.raises(VerificationError) as caught:
        scene.but(quote=bytes(forged)).verify(cache=cache)
    assert caught.value.code == "signature:quote"


@pytest.mark.parametrize(
    "part", ["pck_crl", "root_ca_crl", "tcb_info", "qe_identity", "pck_crl_issuer_chain"]
)
def test_collateral_that_differs_in_one_byte_is_verified_anew(scene: Scene, part: str) -> None:
    cache = VerificationCache()
    scene.verify(cache=cache)
    text = scene.collateral[part]
    place = len(text) // 2
    changed = text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
    with pytest.raises(Exception) as caught:
        scene.with_collateral(**{part: changed}).verify(cache=cache)
    assert hasattr(caught.value, "code")
    assert len(cache) == 1


def test_nothing_is_remembered_beyond_the_earliest_expiry(
    scene: Scene, verified_platforms: list[bytes]
) -> None:
    cache = VerificationCache()
    scene.verify(cache=cache)
    end = scene.now + timedelta(days=30)
    assert scene.but(now=end).verify(cache=cache)
    assert len(verified_platforms) == 1
    with pytest.raises(VerificationError) as caught:
        scene.but(now=end + timedelta(seconds=1)).verify(cache=cache)
    assert caught.value.code == "expired:crl"


def test_nothing_is_remembered_for_a_time_before(scene: Scene) -> None:
    cache = VerificationCache()
    scene.verify(cache=cache)
    with pytest.raises(VerificationError) as caught:
        scene.but(now=scene.now - timedelta(seconds=1)).verify(cache=cache)
    assert caught.value.code == "expired:crl"


def test_root_that_is_no_longer_accepted_is_refused(scene: Scene) -> None:
    cache = VerificationCache()
    scene.verify(cache=cache)
    other = replace(scene.roots[0], sha256=bytes(32))
    with pytest.raises(VerificationError) as caught:
        scene.but(roots=(other,)).verify(cache=cache)
    assert caught.value.code == "crl sig:root"


def test_root_that_was_renamed_is_given_its_new_name(scene: Scene) -> None:
    cache = VerificationCache()
    scene.verify(cache=cache)
    renamed = replace(scene.roots[0], name="renamed", simulated=False)
    assert scene.but(roots=(renamed,)).verify(cache=cache).root == renamed


def test_failures_are_not_remembered(scene: Scene) -> None:
    cache = VerificationCache()
    with pytest.raises(VerificationError):
        scene.but(now=scene.now + timedelta(days=99)).verify(cache=cache)
    assert len(cache) == 0
    assert scene.verify(cache=cache)


@pytest.fixture
def verified_collateral(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Count how often collateral is really verified."""
    calls: list[bytes] = []

    def counting(collateral: Any, **keywords: Any) -> Any:
        calls.append(collateral.digest)
        return verify_endorsements(collateral, **keywords)

    monkeypatch.setattr(cache_module, "verify_endorsements", counting)
    return calls


def another_machine(scene: Scene, seed: int = 4, **how: Any) -> Scene:
    platform = create_platform(scene.vendor, now=scene.now, entropy=Random(seed).randbytes, **how)
    return scene.but(platform=platform, quote=platform.quote(scene.enclave, bytes(64)))


def test_collateral_is_verified_once_for_all_machines_of_a_kind(
    scene: Scene, verified_platforms: list[bytes], verified_collateral: list[bytes]
) -> None:
    cache = VerificationCache()
    machines = [another_machine(scene, seed) for seed in range(3)]
    claims = [machine.verify(cache=cache).claims for machine in machines]
    assert (len(verified_platforms), len(verified_collateral)) == (3, 1)
    assert claims == [machine.verify().claims for machine in machines]


def test_a_new_machine_finds_no_collateral_remembered_beyond_its_expiry(scene: Scene) -> None:
    cache = VerificationCache()
    scene.verify(cache=cache)
    end = scene.now + timedelta(days=30)
    assert another_machine(scene).but(now=end).verify(cache=cache)
    for seed, now in ((5, end + timedelta(seconds=1)), (6, scene.now - timedelta(seconds=1))):
        with pytest.raises(VerificationError) as caught:
            another_machine(scene, seed).but(now=now).verify(cache=cache)
        assert caught.value.code == "expired:crl"
    assert len(cache) == 2


def test_a_new_machine_finds_no_collateral_remembered_under_a_root_that_is_not_accepted(scene: Scene) -> None:
    cache = VerificationCache()
    scene.verify(cache=cache)
    other = replace(scene.roots[0], sha256=bytes(32))
    with pytest.raises(VerificationError) as caught:
        another_machine(scene).but(roots=(other,)).verify(cache=cache)
    assert caught.value.code == "crl sig:root"


def test_remembered_collateral_is_still_held_against_each_machine(scene: Scene) -> None:
    cache = VerificationCache()
    scene.verify(cache=cache)
    stranger = another_machine(scene, fmspc=b"\1\2\3\4\5\6")
    revoked = another_machine(scene, 7)
    withdrawn = revoked.endorsed(revoked_by_ca=frozenset({revoked.platform.pck.certificate.serial_number}))
    assert another_machine(withdrawn, 8).verify(cache=cache)
    for machine, code in ((stranger, "fmspc"), (withdrawn, "revoked:pck")):
        with pytest.raises(VerificationError) as caught:
            machine.verify(cache=cache)
        assert caught.value.code == code


@pytest.mark.parametrize("capacity", [1, 3])
def test_oldest_platforms_are_forgotten(scene: Scene, capacity: int) -> None:
    cache = VerificationCache(capacity)
    for _ in range(capacity + 2):
        platform = create_platform(scene.vendor, now=scene.now, entropy=Random(len(cache)).randbytes)
        scene.but(quote=platform.quote(scene.enclave, bytes(64))).verify(cache=cache)
        assert len(cache) <= capacity
    assert len(cache) == capacity


def test_platforms_of_different_vendors_do_not_mix(scene: Scene) -> None:
    cache = VerificationCache()
    other_vendor = create_vendor(now=scene.now, entropy=Random(9).randbytes)
    other = create_platform(other_vendor, now=scene.now, entropy=Random(10).randbytes)
    roots = (*scene.roots, replace(other_vendor.trust_root, name="other"))
    foreign = scene.endorsed(other_vendor).but(quote=other.quote(scene.enclave, bytes(64)), roots=roots)
    assert scene.but(roots=roots).verify(cache=cache).root == roots[0]
    assert foreign.verify(cache=cache).root == roots[1]
    assert scene.but(roots=roots).verify(cache=cache).root == roots[0]


def test_cache_of_no_size_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        VerificationCache(0)


def test_an_attestation_key_seen_before_is_not_certified_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    certified: list[bytes] = []

    def counting(certification: Any, platform: Any) -> Any:
        certified.append(certification.attestation_key)
        return certify_key(certification, platform)

    monkeypatch.setattr(cache_module, "certify_key", counting)
    cache = VerificationCache()
    for report_data in (bytes(64), b"\1" * 64):
        scene.but(quote=scene.platform.quote(scene.enclave, report_data)).verify(cache=cache)
    assert len(certified) == 1


#: Header and report, the length, the quote's own signature; then the key and what certifies it.
CERTIFICATION = 48 + 384 + 4 + 64
REPORT_DATA_OF_QE, QE_SIGNATURE = CERTIFICATION + 64 + 320, CERTIFICATION + 64 + 384


@pytest.mark.parametrize("place", [CERTIFICATION, REPORT_DATA_OF_QE, QE_SIGNATURE], ids=["key", "QE", "PCK"])
def test_a_certification_that_differs_in_one_byte_is_verified_anew(scene: Scene, place: int) -> None:
    cache = VerificationCache()
    scene.verify(cache=cache)
    forged = bytearray(scene.quote)
    forged[place] ^= 1
    codes = []
    for memory in (cache, None):
        with pytest.raises(VerificationError) as caught:
            scene.but(quote=bytes(forged)).verify(cache=memory)
        codes.append(caught.value.code)
    assert codes[0] == codes[1]
    assert codes[0] in ("binding:attestation key", "signature:qe report")
    assert scene.verify(cache=cache)


def test_a_known_key_does_not_vouch_under_another_platforms_collateral(scene: Scene) -> None:
    cache = VerificationCache()
    scene.verify(cache=cache)
    text = scene.collateral["qe_identity"].replace('"isvprodid":1', '"isvprodid":2')
    with pytest.raises(VerificationError):
        scene.with_collateral(qe_identity=text).verify(cache=cache)
