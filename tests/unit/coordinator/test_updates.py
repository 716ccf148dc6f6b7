"""Updates: who has to agree, what changes, what stays, what the log says (COMPAT section 10)."""

import json

import fakes
import governed
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.coordinator import places
from sealmesh.coordinator.api import SecretUpload
from sealmesh.errors.coordinator import NothingPending, PermissionRefused, UpdateRefused
from sealmesh.errors.manifest import ManifestError
from sealmesh.errors.provisioning import TemplateRefused
from sealmesh.provisioning import Secret

ADA, EVE, MALLORY = governed.ADA, governed.EVE, governed.MALLORY
SECRETS = {
    "shared": {"Type": "symmetric-key", "Size": 128, "Shared": True},
    "private": {"Type": "symmetric-key", "Size": 128},
    "cert": {"Type": "cert-ed25519", "Shared": True},
    "word": {"Type": "plain", "UserDefined": True},
}
OUT = "{{ hex .Secrets.shared }} {{ hex .Previous.Secrets.shared }} {{ hex .Secrets.private }}"
ENV = {"Env": {"OUT": OUT + " {{ hex .Previous.Secrets.private }}"}}
OWNER = rsa.generate_private_key(65537, 2048).public_key()
OWNER_PEM = OWNER.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def manifest(threshold=1, *, config=None, users=("ada", "eve"), **more) -> bytes:
    base = {
        "Governance": None,
        "Secrets": SECRETS,
        "Marbles": {"baker": {"Package": "oven", "Parameters": ENV}},
        "Users": governed.users(*users),
        "Roles": {"updater": governed.ROLES["updater"], "packager": governed.ROLES["packager"]},
        "Config": {"UpdateThreshold": threshold} | (config or {}),
    }
    for one in base["Users"].values():
        one["Roles"] = list(base["Roles"])
    return governed.manifest(**base | more)


def packages(version: object, name="oven", **more) -> bytes:
    return json.dumps({"Packages": {name: {"SecurityVersion": version} | more}}).encode()


@pytest.fixture
def world():
    return governed.world(manifest())


def out(found) -> list[str]:
    """What the baker gets: shared and previous, private and previous."""
    return found.coordinator.activate(fakes.activation()).parameters.env["OUT"].decode().split()


def secret(found, name) -> Secret:
    return Secret.from_bytes(found.state.shelves.value(places.secret(name)))


def lines(found) -> list[dict]:
    return [json.loads(line) for line in found.coordinator.update_log()]


# -- who agrees ------------------------------------------------------------------------------------------


def test_0_means_that_all_who_may_have_to(world):
    world = governed.world(manifest(0))
    new = manifest(1)
    assert world.coordinator.update(new, ADA).missing_users == ("eve",)
    assert world.coordinator.pending_update().raw == new
    assert world.coordinator.acknowledge(new, EVE).applied
    with pytest.raises(NothingPending):
        world.coordinator.pending_update()


def test_an_acknowledgment_counts_once_however_often_it_is_given():
    world = governed.world(manifest(2))
    new = manifest(1)
    world.coordinator.update(new, ADA)
    for _ in range(3):
        assert world.coordinator.acknowledge(new, ADA).missing_acknowledgments == 1
    assert world.state.running.raw != new


def test_only_the_very_bytes_are_acknowledged():
    world = governed.world(manifest(2))
    world.coordinator.update(manifest(1), ADA)
    with pytest.raises(UpdateRefused) as refused:
        world.coordinator.acknowledge(manifest(1) + b" ", EVE)
    assert refused.value.code == "update-differs"
    assert world.coordinator.pending_update().missing_acknowledgments == 1


def test_one_update_waits_at_a_time_and_no_package_update_passes_it():
    world = governed.world(manifest(2))
    world.coordinator.update(manifest(1), ADA)
    for other in (manifest(1, config={"RotateRootSecret": True}), packages(4)):
        with pytest.raises(UpdateRefused):
            world.coordinator.update(other, EVE)
    assert world.coordinator.pending_update().raw == manifest(1)
    assert world.state.package("oven").security_version == 3


def test_whoever_may_propose_may_cancel_what_another_proposed():
    world = governed.world(manifest(2))
    world.coordinator.update(manifest(1), ADA)
    world.coordinator.cancel(EVE)
    with pytest.raises(NothingPending):
        world.coordinator.cancel(EVE)
    assert lines(world)[-1]["user"] == "eve"
    assert world.leaves()[-1] == "update-cancelled"


def test_the_users_of_the_manifest_in_force_decide_not_those_of_the_new_one():
    world = governed.world(manifest(2))
    new = manifest(1, users=("mallory",))
    assert not world.coordinator.update(new, ADA).applied
    with pytest.raises(Exception, match="user"):
        world.coordinator.acknowledge(new, MALLORY)
    assert world.coordinator.acknowledge(new, EVE).applied
    with pytest.raises(Exception, match="user"):
        world.coordinator.update(manifest(), ADA)


def test_a_manifest_that_is_none_is_refused_before_it_waits():
    world = governed.world(manifest(2))
    before = world.facts()
    with pytest.raises(ManifestError):
        world.coordinator.update(b'{"Marbles": {"baker": {}}}', ADA)
    assert world.facts() == before


def test_an_update_that_fails_while_it_is_applied_is_dropped_and_logged():
    world = governed.world(manifest(2))
    broken = manifest(
        1, Marbles={"baker": {"Package": "oven", "Parameters": {"Argv": ["x"], "Env": {"E": "{{ nope }}"}}}}
    )
    world.coordinator.update(broken, ADA)
    certificate = world.state.authority.intermediate_cert
    with pytest.raises(TemplateRefused):
        world.coordinator.acknowledge(broken, EVE)
    with pytest.raises(NothingPending):
        world.coordinator.pending_update()
    assert world.state.authority.intermediate_cert == certificate
    assert world.leaves()[-2:] == ["update-acknowledged", "update-dropped"]


# -- what changes, what stays ----------------------------------------------------------------------------


def test_a_full_update_keeps_keys_and_makes_certificates_anew(world):
    before, certificate, authority = out(world), secret(world, "cert"), world.state.authority
    world.coordinator.update(manifest(2), ADA)
    assert out(world) == before
    assert secret(world, "cert").cert != certificate.cert
    after = world.state.authority
    assert after.root_cert == authority.root_cert
    assert after.intermediate_cert.public_key() != authority.intermediate_cert.public_key()
    assert after.marble_root_cert != authority.marble_root_cert


def test_rotation_makes_all_keys_anew_and_keeps_the_ones_before(world):
    shared, _, private, _ = out(world)
    world.coordinator.update(manifest(config={"RotateRootSecret": True}), ADA)
    now = out(world)
    assert (now[1], now[3]) == (shared, private)
    assert now[0] != shared
    assert now[2] != private
    world.coordinator.update(manifest(config={"RotateRootSecret": True}) + b" ", ADA)
    assert (out(world)[1], out(world)[3]) == (now[0], now[2])  # of the last rotation only


def test_a_secret_with_another_definition_begins_anew_and_is_its_own_previous(world):
    shared = out(world)[0]
    bigger = SECRETS | {
        "shared": SECRETS["shared"] | {"Size": 256},
        "private": {"Type": "symmetric-key", "Size": 192},
    }
    world.coordinator.update(manifest(Secrets=bigger), ADA)
    now = out(world)
    assert now[0] == now[1] != shared
    assert now[2] == now[3]
    assert (len(now[0]), len(now[2])) == (64, 48)


def test_an_uploaded_secret_stays_unless_it_is_redefined_or_gone(world):
    roles = {"keeper": {"ResourceType": "Secrets", "ResourceNames": ["word"], "Actions": ["WriteSecret"]}}

    def with_keeper(**more):
        users = governed.users("ada", roles=("updater", "keeper"))
        return manifest(Users=users, Roles={"updater": governed.ROLES["updater"], **roles}, **more)

    world.coordinator.update(with_keeper(), ADA)
    world.coordinator.set_secrets({"word": SecretUpload(key=b"yeast")}, ADA)
    world.coordinator.update(with_keeper(config={"RotateRootSecret": True}), ADA)
    assert secret(world, "word").public == b"yeast"
    redefined = SECRETS | {"word": {"Type": "symmetric-key", "Size": 40, "UserDefined": True}}
    world.coordinator.update(with_keeper(Secrets=redefined), ADA)
    assert world.state.shelves.value(places.secret("word")) is None


def test_a_secret_that_goes_takes_its_previous_value_with_it(world):
    world.coordinator.update(manifest(config={"RotateRootSecret": True}), ADA)
    assert places.previous_secret("shared") in world.facts()
    rest = {name: secret for name, secret in SECRETS.items() if name != "shared"}
    world.coordinator.update(manifest(Secrets=rest, Marbles={"baker": {"Package": "oven"}}), ADA)
    assert not [key for key in world.facts() if key.endswith("secret/shared")]


def test_activations_counted_before_stay_counted(world):
    limited = {"baker": {"Package": "oven", "MaxActivations": 2}}
    world.coordinator.update(manifest(Marbles=limited), ADA)
    world.coordinator.activate(fakes.activation())
    world.coordinator.update(manifest(Marbles=limited, config={"RotateRootSecret": True}), ADA)
    assert world.state.activations("baker") == 1


def test_recovery_secrets_are_given_out_only_when_the_keys_changed(world):
    new = manifest(RecoveryKeys={"ra": OWNER_PEM})
    assert world.coordinator.update(new, ADA).recovery_secrets == {"ra": b"new share"}
    again = manifest(RecoveryKeys={"ra": OWNER_PEM}, config={"RotateRootSecret": True})
    assert world.coordinator.update(again, ADA).recovery_secrets is None


# -- packages --------------------------------------------------------------------------------------------


def test_a_package_update_leaves_the_manifest_as_it_is(world):
    raw, keys, certificate = world.state.running.raw, out(world), secret(world, "cert")
    intermediate = world.state.authority.intermediate_cert
    assert world.coordinator.update(packages(4), ADA).applied
    assert world.state.running.raw == raw
    assert world.state.package("oven").security_version == 4
    assert out(world) == keys
    assert world.state.authority.intermediate_cert != intermediate
    anew = secret(world, "cert")
    assert anew.cert != certificate.cert
    assert anew.valid_for == certificate.valid_for


def test_a_config_in_a_package_update_means_nothing(world):
    raw = json.loads(packages(4)) | {"Config": {"UpdateThreshold": 9, "RotateRootSecret": True}}
    keys = out(world)
    world.coordinator.update(json.dumps(raw).encode(), ADA)
    assert world.state.running.manifest.config.update_threshold == 1
    assert out(world) == keys


def test_the_next_manifest_has_the_last_word_on_versions(world):
    world.coordinator.update(packages(9), ADA)
    world.coordinator.update(manifest(2), ADA)
    assert world.state.package("oven").security_version == 3


REFUSED = [
    ("a version goes down", packages(2), UpdateRefused),
    ("a package that does not exist", packages(4, "kiln"), UpdateRefused),
    ("more than a version", packages(4, Debug=True), ManifestError),
    ("no version", b'{"Packages": {"oven": {}}}', ManifestError),
]


@pytest.mark.parametrize(("attack", "raw", "error"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_package_update_against_the_rules_changes_nothing(world, attack, raw, error):
    before = world.facts()
    with pytest.raises(error):
        world.coordinator.update(raw, ADA)
    assert world.facts() == before


def test_a_version_stays_where_it_was_raised(world):
    world.coordinator.update(packages(5), ADA)
    with pytest.raises(UpdateRefused):
        world.coordinator.update(packages(4), ADA)
    assert world.coordinator.update(packages(5), ADA).applied  # equal is fine


def test_one_role_on_one_package_is_not_enough_for_two():
    both = {name: {"SignerID": "c0" * 32, "ProductID": 7, "SecurityVersion": 3} for name in ("oven", "till")}
    world = governed.world(manifest(Packages=both))
    raw = json.dumps({"Packages": {name: {"SecurityVersion": 4} for name in both}}).encode()
    with pytest.raises(PermissionRefused):
        world.coordinator.update(raw, ADA)
    assert world.state.package("oven").security_version == 3


# -- the log ---------------------------------------------------------------------------------------------


def test_the_log_has_the_contracts_keys(world):
    world = governed.world(manifest(2))
    new = manifest(1)
    world.coordinator.update(packages(4), ADA)
    world.coordinator.update(new, ADA)
    world.coordinator.acknowledge(new, EVE)
    initial, package, proposed, acknowledged, applied = lines(world)
    assert set(initial) == {"time", "update"}
    assert initial["time"] == "2026-03-04T05:06:07.890Z"
    assert (package["user"], package["package"], package["new version"]) == ("ada", "oven", 4)
    assert (proposed["missingAcknowledgments"], proposed["missingUsers"]) == (1, ["eve"])
    assert (acknowledged["missingAcknowledgments"], acknowledged["missingUsers"]) == (0, [])
    assert applied["manifestFingerprint"] == world.state.running.fingerprint
    assert set(applied) == {"time", "update", "manifestFingerprint"}


def test_an_update_that_needs_nobody_else_says_so_by_saying_nothing(world):
    world.coordinator.update(manifest(2), ADA)
    assert set(lines(world)[-2]) == {"time", "update", "user", "manifestFingerprint"}
