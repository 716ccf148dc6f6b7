"""The Coordinator's own software is updated: what happens to its state (simulated TEE, real packages)."""

import json
import os

import pytest

from sealmesh.adapters.attester.package import load, sign
from sealmesh.adapters.attester.signing_key import encode_signing_key, generate_signing_key
from sealmesh.adapters.attester.simulated import SimulatedAttester
from sealmesh.adapters.sealer import PlatformKeys, Sealer
from sealmesh.adapters.store import SealedSeat
from sealmesh.coordinator.ports import Change, SealPlan
from sealmesh.manifest import SealMode

FIRST = Change(puts={"secret/oven": b"hot"})


@pytest.fixture(scope="module")
def signers():
    return {name: encode_signing_key(generate_signing_key()) for name in ("house", "stranger")}


@pytest.fixture
def release(tmp_path, signers):
    """Start a release of a Coordinator on one machine, and return its seat in the seal directory."""
    opened = []

    def start(code, *, version, signer="house"):
        path = tmp_path / f"{code} {version} {signer}"
        path.mkdir(exist_ok=True)
        (path / "coordinator.py").write_text(code)
        (path / "private.pem").write_bytes(signers[signer])
        (path / "sealmesh.json").write_text(
            json.dumps({"exe": "coordinator.py", "productID": 1, "securityVersion": version})
        )
        sign(path)
        attester = SimulatedAttester(tmp_path / "machine", load(path))
        keys = PlatformKeys(attester.seal_key, security_version=attester.security_version)
        for one in opened:
            one.close()
        opened.append(
            SealedSeat(tmp_path / "seal", sealer=Sealer([keys], entropy=os.urandom), entropy=os.urandom)
        )
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_by_product_a_newer_release_of_the_same_signer_keeps_the_state(release):
    release("first", version=1).found(FIRST, SealPlan(mode=SealMode.PRODUCT_KEY))
    updated = release("second", version=2)
    assert [record.value for record in updated.store().load().records] == [b"hot"]
    updated.store().commit(Change(puts={"secret/oven": b"hotter"}))
    assert release("third", version=2).store() is not None


def test_by_product_a_lower_security_version_does_not_open_it_any_more(release):
    release("first", version=1).found(FIRST, SealPlan(mode=SealMode.PRODUCT_KEY))
    assert release("second", version=2).store() is not None
    older = release("first", version=1)
    assert older.store() is None
    assert older.needs_recovery()
    assert release("second", version=2).store() is not None


def test_by_product_another_signer_does_not_open_it(release):
    release("first", version=1).found(FIRST, SealPlan(mode=SealMode.PRODUCT_KEY))
    assert release("first", version=1, signer="stranger").needs_recovery()


def test_by_measurement_any_other_release_waits_for_recovery(release):
    release("first", version=1).found(FIRST, SealPlan(mode=SealMode.UNIQUE_KEY))
    assert release("second", version=2).needs_recovery()
    assert release("second", version=1).needs_recovery()
    assert release("first", version=1).store() is not None


def test_without_sealing_nothing_is_left(release, tmp_path):
    release("first", version=1).found(FIRST, SealPlan(mode=SealMode.DISABLED))
    again = release("first", version=1)
    assert again.store() is None
    assert not again.needs_recovery()
    assert not (tmp_path / "seal").exists()
