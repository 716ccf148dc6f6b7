"""Reserved acts with enough approvals are done, once; everything else around approvals that should work."""

import json
from datetime import timedelta

import governed
import pytest

from sealmesh.coordinator.api import SecretUpload
from sealmesh.coordinator.approvals import Mesh, reading_subject, update_subject, writing_subject
from sealmesh.errors.coordinator import GateClosed, NothingPending
from sealmesh.errors.governance import ApprovalsMissing
from sealmesh.manifest import GovernedAct

ADA, EVE, manifest = governed.ADA, governed.EVE, governed.manifest
NEW = manifest(Marbles={"baker": {"Package": "oven", "MaxActivations": 9}})
UPLOAD = {"recipe": SecretUpload(key=b"rye")}


@pytest.fixture
def world():
    return governed.world()


def writing(world) -> str:
    return writing_subject(UPLOAD, root=Mesh.of(world.state.authority.root_cert).root)


def test_an_update_that_two_of_three_approved_is_applied(world):
    world.approve(GovernedAct.UPDATE_MANIFEST, update_subject(NEW), "carol", "alice")
    reply = world.coordinator.update(NEW, EVE)
    assert reply.applied
    assert world.state.running.raw == NEW
    assert world.events()[-3:] == [
        "approved by several",
        "manifest update proposed",
        "manifest update applied",
    ]
    assert world.leaves()[-3:] == ["update-proposed", "act-approved", "manifest-updated"]
    approved = json.loads(world.coordinator.update_log()[-3])
    assert approved["approvers"] == ["alice", "carol"]


def test_an_update_may_be_proposed_first_and_acknowledged_again_when_it_is_approved(world):
    reply = world.coordinator.update(NEW, EVE)
    assert (reply.applied, reply.missing_acknowledgments) == (False, 2)
    assert reply.missing_users == ("alice", "bob", "carol")
    world.approve(GovernedAct.UPDATE_MANIFEST, update_subject(NEW), "alice")
    assert world.coordinator.pending_update().missing_acknowledgments == 1
    assert world.coordinator.pending_update().missing_users == ("bob", "carol")
    world.approve(GovernedAct.UPDATE_MANIFEST, update_subject(NEW), "bob")
    assert world.coordinator.acknowledge(NEW, EVE).applied
    assert world.state.running.raw == NEW


def test_approvals_do_not_replace_acknowledgments():
    world = governed.world(manifest(Config={"FeatureGates": ["Governance"], "UpdateThreshold": 2}))
    world.approve(GovernedAct.UPDATE_MANIFEST, update_subject(NEW))
    reply = world.coordinator.update(NEW, EVE)
    assert (reply.applied, reply.missing_acknowledgments, reply.missing_users) == (False, 1, ("ada",))
    assert world.coordinator.acknowledge(NEW, ADA).applied


def test_a_package_update_that_was_approved_is_applied(world):
    raw = json.dumps({"Packages": {"oven": {"SecurityVersion": 4}}}).encode()
    world.approve(GovernedAct.UPDATE_PACKAGES, update_subject(raw))
    assert world.coordinator.update(raw, EVE).applied
    assert world.state.package("oven").security_version == 4


def test_a_secret_is_written_and_read_with_approvals(world):
    world.approve(GovernedAct.WRITE_SECRETS, writing(world))
    world.coordinator.set_secrets(UPLOAD, EVE)
    world.approve(GovernedAct.READ_SECRETS, reading_subject("eve", ["recipe"]))
    assert world.coordinator.get_secrets(("recipe",), EVE)["recipe"].public == b"rye"


def test_an_update_is_cancelled_with_approvals(world):
    world.coordinator.update(NEW, EVE)
    world.approve(GovernedAct.CANCEL_UPDATE, update_subject(NEW))
    world.coordinator.cancel(EVE)
    with pytest.raises(NothingPending):
        world.coordinator.pending_update()


def test_an_approved_update_is_not_held_up_by_an_unapproved_one(world):
    junk = manifest(Marbles={"baker": {"Package": "oven", "MaxActivations": 1}})
    world.coordinator.update(junk, EVE)
    world.approve(GovernedAct.UPDATE_MANIFEST, update_subject(NEW))
    assert world.coordinator.update(NEW, ADA).applied
    assert "manifest update displaced by an approved one" in world.events()


def test_what_is_not_reserved_goes_on_as_before():
    world = governed.world(manifest(rules={"UpdateManifest": {"Threshold": 2}}))
    world.coordinator.set_secrets(UPLOAD, EVE)
    assert world.coordinator.get_secrets(("recipe",), EVE)["recipe"].public == b"rye"


def test_an_approver_with_several_keys_counts_once_with_any_of_them():
    second = governed.Key()
    rules = json.loads(manifest())["Governance"]
    rules["Approvers"]["alice"]["Keys"].append(second.pem)
    world = governed.world(manifest(Governance=rules))
    subject = update_subject(NEW)
    world.coordinator.submit_approval(
        world.approval(GovernedAct.UPDATE_MANIFEST, subject, "alice", key=second), EVE
    )
    assert world.coordinator.approvals(EVE)[0].missing == 1


def test_approvals_are_listed_to_users_with_what_is_missing(world):
    world.approve(GovernedAct.UPDATE_MANIFEST, update_subject(NEW), "bob")
    (one,) = world.coordinator.approvals(ADA)
    assert (one.approver, one.act, one.missing, one.asked) == ("bob", "UpdateManifest", 1, ("alice", "carol"))
    assert (one.subject, one.reason) == (update_subject(NEW), "planned")


def test_an_expired_approval_may_be_given_anew(world):
    subject = update_subject(NEW)
    world.approve(GovernedAct.UPDATE_MANIFEST, subject, "alice")
    world.clock.forward(days=2)
    assert world.coordinator.approvals(EVE) == ()
    world.approve(GovernedAct.UPDATE_MANIFEST, subject, "alice", "bob")
    assert world.coordinator.update(NEW, EVE).applied


def test_an_update_leaves_no_approval_behind(world):
    world.approve(GovernedAct.READ_SECRETS, reading_subject("eve", ["recipe"]))
    world.approve(GovernedAct.UPDATE_MANIFEST, update_subject(NEW))
    before = world.coordinator.governance()
    world.coordinator.update(NEW, EVE)
    after = world.coordinator.governance()
    assert (before.epoch, after.epoch) == (1, 2)
    assert before.root == after.root
    assert [key for key in world.facts() if key.startswith(("approval/", "used-approval/"))] == []


def test_the_rules_are_public_with_the_keys_by_digest(world):
    shown = world.coordinator.governance()
    assert shown.rules["UpdateManifest"].threshold == 2
    assert set(shown.keys) == {"alice", "bob", "carol"}
    assert shown.manifest == world.state.running.fingerprint


def test_without_the_gate_there_is_nothing_to_hand_in():
    world = governed.world(manifest(Governance=None, Config={"UpdateThreshold": 1}))
    with pytest.raises(GateClosed):
        world.coordinator.governance()
    with pytest.raises(GateClosed):
        world.coordinator.submit_approval(b"", EVE)
    assert world.coordinator.update(NEW, EVE).applied


def test_the_same_act_needs_new_approvals_every_time(world):
    world.approve(GovernedAct.WRITE_SECRETS, writing(world))
    world.coordinator.set_secrets(UPLOAD, EVE)
    with pytest.raises(ApprovalsMissing):
        world.coordinator.set_secrets(UPLOAD, EVE)
    world.approve(GovernedAct.WRITE_SECRETS, writing(world))
    world.coordinator.set_secrets(UPLOAD, EVE)


def test_a_refused_act_says_what_has_to_be_approved(world):
    with pytest.raises(ApprovalsMissing) as refused:
        world.coordinator.get_secrets(("recipe",), EVE)
    assert reading_subject("eve", ["recipe"]) in refused.value.found
    assert "alice, bob, carol" in refused.value.wanted


def test_an_approval_lives_at_most_a_month(world):
    raw = world.approval(
        GovernedAct.UPDATE_MANIFEST, update_subject(NEW), not_after=world.clock() + timedelta(days=31)
    )
    assert world.coordinator.submit_approval(raw, EVE).missing == 1
