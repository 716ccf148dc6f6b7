"""Records and recovery secrets that nobody of ours wrote: our error or a value; the state stays closed."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sealmesh.coordinator.pending_update import find_pending
from sealmesh.coordinator.ports import Record, Snapshot
from sealmesh.coordinator.state import State
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import RecoveryRefused

MODEL = Path(__file__).resolve().parents[1] / "model"
quick = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def _load(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, MODEL / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


people, commands, reference = map(_load, ("model_people", "model_commands", "model_reference"))
world = _load("model_world")


@pytest.fixture(scope="module")
def running() -> Iterator:
    """A Coordinator whose state has something of everything."""
    found = world.World(1)
    found.run(commands.SetManifest(people.Plan(owners=3, quorum=2)))
    for command in (
        commands.Activate("capped", people.UUIDS[0]),
        commands.Count(0, "a", 5),
        commands.Upload("dan", (("word", b"hello"), ("pin", b"12345678"))),
        commands.RaiseVersion("dan", 9),
        commands.Propose("ann", people.Plan(number=1, owners=3, quorum=2)),
    ):
        assert isinstance(found.run(command), reference.Done)
    yield found
    found.close()


@quick
@given(data=st.data())
def test_any_value_of_any_record_is_a_state_or_corrupt(running, data: st.DataObject) -> None:
    state: State = running.coordinator(0)._engine.state()
    snapshot = running.parts[0].seat.store().load()
    number = data.draw(st.integers(0, len(snapshot.records) - 1))
    record: Record = snapshot.records[number]
    old = record.value or b""
    changed = data.draw(
        st.binary(max_size=40)
        | st.integers(0, max(0, len(old) - 1)).map(lambda cut: old[:cut])
        | st.tuples(st.integers(0, max(0, len(old) - 1)), st.integers(1, 255)).map(
            lambda at: old[: at[0]] + bytes([(old[at[0]] if old else 0) ^ at[1]]) + old[at[0] + 1 :]
        )
    )
    records = list(snapshot.records)
    records[number] = replace(record, value=changed)
    with suppress(SealmeshError):
        found = State.before_manifest(state.authority).refreshed(
            Snapshot(version=snapshot.version, records=tuple(records))
        )
        for look in (
            lambda: found.activations("capped"),
            lambda: found.package("oven"),
            found.log,
            found.root_secret,
            lambda: find_pending(found),
            lambda: found.shelves.number('counter/["capped","x","a"]'),
        ):
            with suppress(SealmeshError):
                look()


@pytest.fixture(scope="module")
def waiting(running) -> Iterator:
    """A Coordinator that waits for two of three owners, and has shown its ephemeral key."""
    found = world.World(1)
    found.run(commands.SetManifest(people.Plan(owners=3, quorum=2)))
    found.lose_key()
    found.coordinator(0).recovery_public_key()
    yield found
    found.close()


@quick
@given(secret=st.binary(max_size=700), signature=st.binary(max_size=300))
@example(secret=b"", signature=b"")
@example(secret=bytes(16), signature=b"")
@example(secret=bytes(32), signature=b"")
@example(secret=bytes(33), signature=b"")
@example(secret=bytes(512), signature=b"")
@example(secret=b"\xff" * 512, signature=b"")
def test_any_bytes_are_no_recovery_secret_and_the_state_stays_closed(
    waiting, secret: bytes, signature: bytes
) -> None:
    with pytest.raises(RecoveryRefused):
        waiting.coordinator(0).recover(secret, signature)
    assert waiting.coordinator(0).status().code == 1


@quick
@given(data=st.data())
def test_a_flipped_bit_in_a_share_is_no_share_plain_or_encrypted(waiting, data: st.DataObject) -> None:
    coordinator = waiting.coordinator(0)
    share = bytearray(waiting.kept.shares[0]["key-1"])
    bit = data.draw(st.integers(0, len(share) * 8 - 1))
    share[bit // 8] ^= 1 << bit % 8
    key = load_der_public_key(coordinator.recovery_public_key())
    assert isinstance(key, rsa.RSAPublicKey)
    encrypted = key.encrypt(bytes(share), padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    for sent in (bytes(share), encrypted):
        with pytest.raises(RecoveryRefused):
            coordinator.recover(sent, people.signed("key-1", bytes(share)))
    assert coordinator.status().code == 1
