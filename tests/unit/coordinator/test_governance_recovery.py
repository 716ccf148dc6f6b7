"""A state that waits for recovery is recovered, or given up, only as its manifest has it."""

import json
import os
from dataclasses import replace
from datetime import timedelta

import governed
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.coordinator.approvals import (
    Mesh,
    encode_approval,
    parse_approval,
    recovery_subject,
    reset_subject,
)
from sealmesh.coordinator.approvals.guard import Guard, guard_bytes
from sealmesh.coordinator.approvals.making import Consent, make_approval
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors.coordinator import GateClosed, PhaseError, ResetRefused, StateCorrupt
from sealmesh.errors.governance import ApprovalRefused, ApprovalsMissing
from sealmesh.errors.store import RecoveryNotPossible
from sealmesh.manifest import GovernedAct, parse_manifest
from sealmesh.sealing import split_recovery_key

fakes, KEYS = governed.fakes, governed.KEYS
OWNERS = {name: rsa.generate_private_key(65537, 2048) for name in ("ra", "rb")}
KEY = b"K" * 32


def pem(key) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def manifest(rules=None, **more) -> bytes:
    return governed.manifest(
        rules, **{"RecoveryKeys": {name: pem(key) for name, key in OWNERS.items()}, **more}
    )


class WaitingSeat(fakes.MemorySeat):
    """Its key can be lost; then the owners' shares open it."""

    def found(self, change, plan):
        self.shares = split_recovery_key(KEY, owners=2, threshold=2, entropy=fakes.FakeEntropy())
        self.info = replace(self.shares.info, guard=plan.guard)
        self.reason = "the key is lost"
        self.lost = None
        return super().found(change, plan)

    def lose(self) -> None:
        self.lost, self.opened, self.in_recovery = self.opened, None, True

    def recovery(self):
        return self if self.in_recovery else None

    def peek(self, encryption_key):
        if encryption_key != KEY:
            raise RecoveryNotPossible("another key")
        return self.lost

    def unlock(self, encryption_key):
        self.opened, self.in_recovery = self.peek(encryption_key), False
        return self.opened


class Waiting:
    """A Coordinator before a state that it cannot open."""

    def __init__(self, raw=None, settings=governed.EMPTY_QUOTES) -> None:
        self.clock, self.seat = fakes.FakeClock(), WaitingSeat()
        first = fakes.make_coordinator(settings=governed.EMPTY_QUOTES, clock=self.clock, seat=self.seat)
        first.set_manifest(raw or manifest())
        self.mesh = Mesh.of(first._engine.state().authority.root_cert)
        self.seat.lose()
        self.coordinator = fakes.make_coordinator(settings=settings, clock=self.clock, seat=self.seat)
        self.here = Mesh.of(self.coordinator._engine.state().authority.root_cert).root

    def approval(self, act, subject, approver="alice", *, key=None, **changes) -> bytes:
        consent = Consent(
            mesh=self.mesh,
            manifest=None,
            act=act,
            subject=subject,
            approver=approver,
            reason="the machine burnt",
            not_after=self.clock() + timedelta(days=1),
        )
        return make_approval(replace(consent, **changes), key or KEYS[approver], entropy=os.urandom)

    def approve(self, act, subject, *approvers: str):
        for name in approvers:
            reply = self.coordinator.submit_approval(self.approval(act, subject, name), ())
        return reply

    def share(self, number: int):
        share = self.seat.shares.shares[number]
        owner = list(OWNERS.values())[number]
        return self.coordinator.recover(share, owner.sign(share, padding.PKCS1v15(), hashes.SHA256()))

    @property
    def records(self):
        return dict(self.seat.lost.records)

    def still_waits(self) -> None:
        assert self.coordinator.status().code == 1
        assert self.seat.in_recovery


NEW = governed.manifest(Governance=None, Config={})
RESETTING = [
    Settings(relaxations=governed.EMPTY_QUOTES.relaxations, reset_state=True),
    Settings(relaxations=frozenset(Relaxation)),
]


def test_with_shares_and_approvals_the_state_is_recovered():
    world = Waiting()
    assert world.share(0).remaining == 1
    assert world.approve(GovernedAct.RECOVER, recovery_subject(world.here), "alice", "carol").missing == 0
    assert world.share(1).remaining == 0
    assert world.coordinator.status().code == 3
    acts = [json.loads(leaf)["act"] for leaf in world.seat.opened.appended]
    assert acts[-2:] == ["act-approved", "state-recovered"]
    assert json.loads(world.coordinator.update_log()[-1])["approvers"] == ["alice", "carol"]


def test_all_owners_together_cannot_recover_what_is_reserved_to_approvers():
    world = Waiting()
    before = world.records
    world.share(0)
    world.approve(GovernedAct.RECOVER, recovery_subject(world.here), "alice")
    for _ in range(2):
        with pytest.raises(ApprovalsMissing):
            world.share(1)
        world.still_waits()
    assert world.records == before
    world.approve(GovernedAct.RECOVER, recovery_subject(world.here), "bob")
    assert world.share(1).remaining == 0  # the first share was not lost


def test_approvals_alone_recover_nothing():
    world = Waiting()
    world.approve(GovernedAct.RECOVER, recovery_subject(world.here), "alice", "bob", "carol")
    world.still_waits()
    assert world.share(0).remaining == 1


def test_an_approval_for_another_coordinator_does_not_count():
    world = Waiting()
    raw = world.approval(GovernedAct.RECOVER, recovery_subject("0" * 64))
    with pytest.raises(ApprovalRefused) as refused:
        world.coordinator.submit_approval(raw, ())
    assert refused.value.code == "approval-other-coordinator"
    assert world.coordinator._recovery.approvals.given() == ()


@pytest.mark.parametrize(
    ("attack", "code", "how"),
    [
        ("by nobody who is asked", "approval-unknown-approver", {"approver": "eve"}),
        ("with another's key", "approval-unknown-approver", {"approver": "bob", "key": KEYS["alice"]}),
        ("for an act on an open state", "approval-not-needed", {"act": GovernedAct.CANCEL_UPDATE}),
        ("expired", "approval-expired", {"not_after": fakes.NOW}),
        ("of another mesh", "approval-other-mesh", {"mesh": Mesh(trust_domain="mesh-0", root="0" * 64)}),
    ],
)
def test_strangers_cannot_fill_the_memory_of_a_waiting_coordinator(attack, code, how):
    world = Waiting()
    act = how.pop("act", GovernedAct.RECOVER)
    if act is GovernedAct.CANCEL_UPDATE:
        raw = encode_approval(parse_approval(world.approval(GovernedAct.RECOVER, "0" * 64)))
        raw = raw.replace(b'"Recover"', b'"CancelUpdate"')
    else:
        raw = world.approval(act, recovery_subject(world.here), **how)
    with pytest.raises(ApprovalRefused) as refused:
        world.coordinator.submit_approval(raw, ())
    assert refused.value.code == code
    assert world.coordinator._recovery.approvals.given() == ()
    world.still_waits()


def test_one_approver_counts_once_and_has_room_for_a_few():
    world = Waiting()
    subject = recovery_subject(world.here)
    world.approve(GovernedAct.RECOVER, subject, "alice")
    with pytest.raises(ApprovalRefused) as refused:
        world.approve(GovernedAct.RECOVER, subject, "alice")
    assert refused.value.code == "approval-repeated"
    for number in range(7):
        world.approve(GovernedAct.RESET, f"{number:064x}", "alice")
    with pytest.raises(ApprovalRefused) as refused:
        world.approve(GovernedAct.RESET, "f" * 64, "alice")
    assert refused.value.code == "limit:approvals"


@pytest.mark.parametrize("settings", RESETTING, ids=["--reset-state", "insecure-recovery-reset"])
def test_the_operators_word_alone_does_not_give_a_state_up(settings):
    world = Waiting(settings=settings)
    before = world.records
    with pytest.raises(ApprovalsMissing):
        world.coordinator.set_manifest(NEW)
    world.approve(GovernedAct.RESET, reset_subject(world.here, NEW), "alice")
    with pytest.raises(ApprovalsMissing):
        world.coordinator.set_manifest(NEW)
    world.still_waits()
    assert world.records == before


@pytest.mark.parametrize("settings", RESETTING, ids=["--reset-state", "insecure-recovery-reset"])
def test_several_and_the_operator_give_a_state_up_for_exactly_one_manifest(settings):
    world = Waiting(settings=settings)
    world.approve(GovernedAct.RESET, reset_subject(world.here, NEW), "alice", "bob")
    with pytest.raises(ApprovalsMissing):
        world.coordinator.set_manifest(governed.manifest())
    world.coordinator.set_manifest(NEW)
    assert world.coordinator.status().code == 3
    acts = [json.loads(leaf)["act"] for leaf in world.seat.opened.appended]
    assert acts == ["manifest-set", "act-approved"]


def test_approvals_do_not_replace_the_operators_word():
    world = Waiting()
    world.approve(GovernedAct.RESET, reset_subject(world.here, NEW), "alice", "bob")
    with pytest.raises(ResetRefused):
        world.coordinator.set_manifest(NEW)
    world.still_waits()


def test_a_waiting_coordinator_says_what_it_asks_for():
    world = Waiting()
    shown = world.coordinator.governance()
    assert set(shown.rules) == {"Recover", "Reset"}
    assert (shown.root, shown.coordinator, shown.manifest, shown.epoch) == (
        world.mesh.root,
        world.here,
        None,
        None,
    )
    with pytest.raises((PhaseError, GateClosed)):
        world.coordinator.approvals(governed.EVE)


def test_a_state_without_such_rules_asks_for_nothing():
    world = Waiting(manifest(rules={"UpdateManifest": {"Threshold": 2}}), settings=RESETTING[0])
    with pytest.raises(GateClosed):
        world.coordinator.governance()
    world.coordinator.set_manifest(NEW)
    assert world.coordinator.status().code == 3


def test_an_update_of_these_rules_gives_new_shares():
    world = Waiting(manifest(rules={"UpdateManifest": {"Threshold": 1}}))
    world.share(0)
    world.share(1)
    from sealmesh.coordinator.approvals import ManifestEpoch, update_subject

    reserved = manifest(rules={"UpdateManifest": {"Threshold": 2}, "Recover": {"Threshold": 2}})
    shown = world.coordinator.governance()
    raw = world.approval(
        GovernedAct.UPDATE_MANIFEST,
        update_subject(reserved),
        manifest=ManifestEpoch(fingerprint=shown.manifest, number=shown.epoch),
    )
    world.coordinator.submit_approval(raw, governed.EVE)
    assert world.coordinator.update(reserved, governed.EVE).recovery_secrets is not None
    assert Guard.from_bytes(world.seat.plans[-1].guard).mesh == world.mesh


def test_the_guard_reads_what_it_wrote():
    state = governed.world().state
    raw = guard_bytes(parse_manifest(governed.manifest()), state.authority.root_cert)
    assert Guard.from_bytes(raw).to_bytes() == raw
    for damaged in (b"", b"{}", raw[:-1], raw.replace(b"Reset", b"Reboot"), raw.replace(b"v1", b"v2")):
        with pytest.raises(StateCorrupt):
            Guard.from_bytes(damaged)
