"""Who is a user, and what his roles let him do (COMPAT sections 3, 8, 9)."""

import governed
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.coordinator.api import SecretUpload
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.phase import Act
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors.coordinator import PermissionRefused, UnknownSecret, UserUnauthenticated
from sealmesh.errors.provisioning import ProvisioningError

ADA, EVE, MALLORY, certificate, der = (
    governed.ADA,
    governed.EVE,
    governed.MALLORY,
    governed.certificate,
    governed.der,
)
FREE = {"Governance": None, "Config": {"UpdateThreshold": 1}}
RYE = {"recipe": SecretUpload(key=b"rye")}
CHAIN_RELAXED = Settings(
    relaxations=frozenset({Relaxation.INSECURE_EMPTY_QUOTES, Relaxation.INSECURE_USER_CHAIN})
)


def world(settings=governed.EMPTY_QUOTES, **more):
    return governed.world(governed.manifest(**FREE | more), settings)


def user(one) -> dict:
    return {"Certificate": one.public_bytes(Encoding.PEM).decode(), "Roles": list(governed.ROLES)}


def known(found, chain) -> bool:
    try:
        found.coordinator.admit(Act.UPDATE, chain)
    except UserUnauthenticated:
        return False
    return True


def test_a_user_is_known_by_an_expired_self_signed_certificate():
    assert known(world(), ADA)  # it ended in 2021, and it is 2026


def test_another_certificate_of_the_same_key_and_name_is_nobody():
    again = der(certificate(governed.KEYS["ada"], "ada", serial=2))
    assert not known(world(), (again,))


def test_nobody_is_nobody():
    found = world()
    for chain in ((), MALLORY, (b"garbage",)):
        assert not known(found, chain)


def test_before_a_manifest_there_are_no_users():
    coordinator = governed.fakes.make_coordinator(settings=governed.EMPTY_QUOTES)
    with pytest.raises(UserUnauthenticated):
        coordinator.admit(Act.UPDATE, ADA)


def test_a_certificate_behind_a_strangers_makes_nobody_a_user():
    found, before = world(), world().store.commits
    assert not known(found, (*MALLORY, *ADA))
    assert not known(found, (*MALLORY, *ADA, *EVE))
    with pytest.raises(UserUnauthenticated):
        found.coordinator.get_secrets(("recipe",), (*MALLORY, *ADA))
    assert len(found.store.commits) == len(before)


def test_a_certificate_that_issued_the_callers_makes_him_its_user():
    authority = certificate(governed.KEYS["carol"], "owners")
    below = certificate(governed.KEYS["bob"], "office", issuer=authority, issuer_key=governed.KEYS["carol"])
    leaf = certificate(governed.KEYS["mallory"], "card", issuer=below, issuer_key=governed.KEYS["bob"])
    found = world(Users={"owners": user(authority)})
    assert known(found, (der(leaf), der(below), der(authority)))
    assert not known(found, (der(leaf), der(authority)))  # a link is missing
    assert not known(found, (*MALLORY, der(below), der(authority)))


def test_a_name_alone_does_not_make_an_issuer():
    authority = certificate(governed.KEYS["carol"], "owners")
    forged = certificate(
        governed.KEYS["mallory"], "card", issuer=authority, issuer_key=governed.KEYS["mallory"]
    )
    assert not known(world(Users={"owners": user(authority)}), (der(forged), der(authority)))


def test_the_relaxation_brings_back_what_marblerun_does():
    assert known(world(CHAIN_RELAXED), (*MALLORY, *ADA))


def test_with_governance_no_relaxation_does():
    found = governed.world(settings=CHAIN_RELAXED)
    assert not known(found, (*MALLORY, *ADA))


NO_ROLE = {
    "to read": (lambda c: c.get_secrets(("recipe",), EVE), PermissionRefused),
    "to write": (lambda c: c.set_secrets(RYE, EVE), PermissionRefused),
    "to update packages": (
        lambda c: c.update(b'{"Packages": {"oven": {"SecurityVersion": 4}}}', EVE),
        PermissionRefused,
    ),
    "to propose": (lambda c: c.update(governed.manifest(), EVE), PermissionRefused),
    "to cancel, whether or not anything waits": (lambda c: c.cancel(EVE), PermissionRefused),
}


@pytest.mark.parametrize("what", NO_ROLE)
def test_a_user_without_the_role_is_refused_and_nothing_changes(what):
    act, error = NO_ROLE[what]
    found = world(Users={**governed.users("ada"), **governed.users("eve", roles=())})
    before = len(found.store.commits)
    with pytest.raises(error):
        act(found.coordinator)
    assert len(found.store.commits) == before


def test_a_role_on_some_secrets_is_none_on_the_others():
    secrets = {name: {"Type": "plain", "UserDefined": True, "Shared": True} for name in ("recipe", "pin")}
    found = world(Secrets=secrets)
    both = {name: SecretUpload(key=b"x") for name in secrets}
    with pytest.raises(PermissionRefused):
        found.coordinator.set_secrets(both, ADA)
    assert not [key for key in found.facts() if key.startswith("secret/")]  # all or nothing


def test_an_unknown_secret_is_named_before_the_permission():
    found = world(Users={**governed.users("ada"), **governed.users("eve", roles=())})
    with pytest.raises(UnknownSecret):
        found.coordinator.get_secrets(("nothing",), EVE)


def test_content_is_checked_before_the_permission():
    found = world(Users={**governed.users("ada"), **governed.users("eve", roles=())})
    with pytest.raises(ProvisioningError):
        found.coordinator.set_secrets({"recipe": SecretUpload(certificate=b"x")}, EVE)


def test_who_read_what_is_in_the_ledger_and_the_value_is_not():
    found = world()
    found.coordinator.set_secrets(RYE, ADA)
    assert found.coordinator.get_secrets(("recipe",), EVE)["recipe"].private == b"rye"
    last = found.store.appended[-1]
    assert b'"secrets-read"' in last
    assert b'"eve"' in last
    assert b"rye" not in b"".join(found.store.appended)
