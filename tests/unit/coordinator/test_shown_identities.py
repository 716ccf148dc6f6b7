"""What the servers show: kept, made anew in time, and never more than the authority can vouch for."""

from datetime import timedelta

import fakes
import governed
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.pki import verify_coordinator_leaf


@pytest.fixture
def clock():
    return fakes.FakeClock()


@pytest.fixture
def engine(clock):
    return fakes.make_engine(clock=clock)


@pytest.fixture
def coordinator(engine):
    return fakes.make_coordinator(engine=engine)


def test_marbles_of_marblerun_are_shown_the_marble_root_and_ours_a_leaf_on_p256(coordinator, engine, clock):
    shown, authority = coordinator.server_identity(), engine.state().authority
    assert shown.mesh_chain == (authority.marble_root_cert,)
    assert shown.client_chain == (authority.root_cert,)
    (leaf,) = shown.enrolment.chain
    assert isinstance(shown.enrolment.key.curve, ec.SECP256R1)
    assert leaf.public_key() == shown.enrolment.key.public_key()
    verify_coordinator_leaf(
        leaf.public_bytes(Encoding.DER), intermediate=authority.intermediate_der, now=clock.now
    )
    assert "PrivateKey" not in repr(shown.enrolment)


def test_it_is_the_same_until_it_has_to_be_renewed(coordinator, clock):
    first = coordinator.server_identity()
    clock.forward(hours=7, minutes=59)
    assert coordinator.server_identity() is first
    clock.forward(minutes=2)
    second = coordinator.server_identity()
    assert second.generation != first.generation
    assert second.enrolment.chain != first.enrolment.chain
    assert second.enrolment.key is not first.enrolment.key
    assert second.mesh_chain == first.mesh_chain
    assert first.enrolment.chain[0].not_valid_after_utc > clock.now + timedelta(hours=12)


def test_another_intermediate_is_shown_at_once():
    users = governed.users("ada", roles=("packager",))
    roles = {"packager": governed.ROLES["packager"]}
    world = governed.world(governed.manifest(Governance=None, Config={}, Users=users, Roles=roles))
    first = world.coordinator.server_identity()
    world.coordinator.update(b'{"Packages": {"oven": {"SecurityVersion": 9}}}', governed.ADA)
    second = world.coordinator.server_identity()
    assert second.generation != first.generation
    assert second.mesh_chain != first.mesh_chain
    (old,), (new,) = first.enrolment.chain, second.enrolment.chain
    new.verify_directly_issued_by(world.coordinator._engine.state().authority.intermediate_cert)
    with pytest.raises(InvalidSignature):
        new.verify_directly_issued_by(first.mesh_chain[0])
    assert old != new


def test_an_authority_that_has_expired_is_shown_alone(coordinator, engine, clock):
    clock.now = engine.state().authority.validity.not_after + timedelta(days=1)
    shown = coordinator.server_identity()
    assert shown.enrolment is None
    assert shown.mesh_chain == (engine.state().authority.marble_root_cert,)
    clock.forward(seconds=30)
    assert coordinator.server_identity() is shown
    clock.now -= timedelta(days=2)
    shown_again = fakes.make_coordinator(engine=engine).server_identity()
    assert shown_again.enrolment is not None
