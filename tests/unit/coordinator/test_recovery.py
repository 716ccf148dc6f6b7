"""A state whose key is lost, its owners, and whoever pretends to be one; on a real sealed state."""

import json
import os
from dataclasses import replace

import fakes
import governed
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from sealmesh.adapters.anchor import FileAnchor
from sealmesh.adapters.sealer import PlatformKeys, Sealer
from sealmesh.adapters.store import SealedSeat
from sealmesh.adapters.store.mooring import Moored, Unmoored
from sealmesh.coordinator.api import OwnerShare
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors.coordinator import (
    DrillRefused,
    PhaseError,
    RecoveryRefused,
    ResetRefused,
    UpdateRefused,
)
from sealmesh.errors.store import AnchorError
from sealmesh.sealing import unwrap_share, wrap_share

OWNERS = {name: rsa.generate_private_key(65537, 2048) for name in ("ra", "rb", "rc")}
STRANGER = rsa.generate_private_key(65537, 2048)
MARBLERUN = Settings(relaxations=frozenset(Relaxation))
STRICT = Settings(relaxations=frozenset({Relaxation.INSECURE_EMPTY_QUOTES}))


def pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def manifest(owners, threshold=0, **more):
    keys = {name: pem(OWNERS[name]) for name in owners}
    config = {"RecoveryThreshold": threshold} if threshold else {}
    return fakes.manifest_bytes({"RecoveryKeys": keys, "Config": config | more})


def signed(share, owner):
    key = OWNERS.get(owner, STRANGER)
    return key.sign(share, padding.PKCS1v15(), hashes.SHA256())


class Machine:
    """A seal directory, and Coordinators that are started on it one after another."""

    def __init__(self, directory, anchor=None):
        self.directory, self.anchor = directory, anchor
        self.running = None

    def start(self, settings=STRICT):
        if self.running is not None:
            self.running._engine.seat.close()
        keys = PlatformKeys(lambda mode, security_version: mode.encode().ljust(32))
        self.seat = SealedSeat(
            self.directory,
            sealer=Sealer([keys], entropy=os.urandom),
            entropy=os.urandom,
            mooring=Unmoored() if self.anchor is None else Moored(self.anchor, self.directory),
        )
        self.running = fakes.make_coordinator(settings=settings, seat=self.seat, entropy=os.urandom)
        return self.running

    def found(self, owners, threshold=0, **more):
        """Set a manifest; return the plain shares."""
        secrets = self.start().set_manifest(manifest(owners, threshold, **more)).recovery_secrets
        return {name: unwrap_share(secret, OWNERS[name]) for name, secret in secrets.items()}

    def lose_key(self, settings=STRICT):
        self.running._engine.seat.close()
        (self.directory / "sealed_key").unlink()
        return self.start(settings)

    def files(self):
        self.running._engine.seat.close()
        found = {path.name: path.read_bytes() for path in self.directory.iterdir() if path.suffix != ".lock"}
        self.running = None
        return found


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path / "seal")
    yield made
    if made.running is not None:
        made.running._engine.seat.close()


def give(coordinator, shares, owner, signer=None):
    share = shares[owner] if isinstance(shares, dict) else shares
    return coordinator.recover(share, signed(share, signer or owner)).remaining


def recovered(coordinator):
    return coordinator.status().code == 3 and coordinator.manifest().raw


# -- the schemes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owners", "threshold", "order", "remaining"),
    [
        (["ra"], 0, ["ra"], [0]),
        (["ra", "rb"], 0, ["rb", "ra"], [1, 0]),
        (["ra", "rb", "rc"], 0, ["rc", "ra", "rb"], [2, 1, 0]),
        (["ra", "rb", "rc"], 3, ["ra", "rb", "rc"], [2, 1, 0]),
        (["ra", "rb", "rc"], 2, ["rc", "ra"], [2, 0]),
    ],
)
def test_owners_recover_and_see_how_many_are_missing(machine, owners, threshold, order, remaining):
    shares = machine.found(owners, threshold)
    before = machine.running.manifest().raw
    waiting = machine.lose_key()
    assert waiting.status().code == 1
    assert [give(waiting, shares, owner) for owner in order] == remaining
    assert recovered(waiting) == before
    assert machine.start().status().code == 3


def test_shares_may_be_encrypted_to_the_ephemeral_key(machine):
    shares = machine.found(["ra", "rb"])
    waiting = machine.lose_key()
    public = load_der_public_key(waiting.recovery_public_key())
    assert waiting.recovery_public_key() == waiting.recovery_public_key()
    sent = {name: wrap_share(share, public) for name, share in shares.items()}
    assert waiting.recover(sent["ra"], signed(shares["ra"], "ra")).remaining == 1
    assert waiting.recover(sent["rb"], signed(shares["rb"], "rb")).remaining == 0


def test_the_ledger_says_that_it_was_recovered_and_why(machine):
    shares = machine.found(["ra"])
    waiting = machine.lose_key()
    give(waiting, shares, "ra")
    store = machine.seat.store()
    leaf = json.loads(store.leaves(0, store.leaf_count())[-1])
    assert (leaf["act"], leaf["shares"]) == ("state-recovered", 1)
    assert leaf["reason"] == "`sealed_key` is missing"
    assert "remark" not in leaf


def test_the_status_tells_why_it_waits_and_how_far_it_is(machine):
    shares = machine.found(["ra", "rb", "rc"], 2)
    assert machine.running.status().recovery is None
    waiting = machine.lose_key()
    found = waiting.status().recovery
    assert (found.reason, found.owners, found.threshold, found.given) == (
        "`sealed_key` is missing",
        3,
        2,
        0,
    )
    give(waiting, shares, "rb")
    assert waiting.status().recovery.given == 1
    give(waiting, shares, "ra")
    assert waiting.status().recovery is None


# -- shares that are none ----------------------------------------------------------------------------

ATTACKS = {
    "random bytes": lambda shares: os.urandom(len(shares["ra"])),
    "a share with one bit changed": lambda shares: bytes([shares["rb"][0] ^ 1]) + shares["rb"][1:],
    "the share that was given": lambda shares: shares["ra"],
    "two shares combined": lambda shares: bytes(
        a ^ b for a, b in zip(shares["ra"], shares["rb"], strict=True)
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("threshold", [0, 2])
def test_a_wrong_repeated_or_foreign_share_is_refused_and_the_count_stays(machine, attack, threshold):
    shares = machine.found(["ra", "rb", "rc"], threshold)
    waiting = machine.lose_key()
    give(waiting, shares, "ra")
    bad = ATTACKS[attack](shares)
    for _ in range(2):
        with pytest.raises(RecoveryRefused):
            waiting.recover(bad, signed(bad, "rb"))
        assert waiting.status().recovery.given == 1
    for owner in ("rb", "rc"):
        if waiting.status().code == 1:
            give(waiting, shares, owner)
    assert recovered(waiting)


def test_a_share_of_another_coordinator_is_refused(machine, tmp_path):
    machine.found(["ra", "rb"])
    other = Machine(tmp_path / "other")
    foreign = other.found(["ra", "rb"])
    other.files()  # closes it
    waiting = machine.lose_key()
    with pytest.raises(RecoveryRefused):
        give(waiting, foreign, "ra")
    assert waiting.status().recovery.given == 0


def test_a_share_from_before_the_keys_changed_is_worthless(machine):
    old = machine.found(["ra", "rb"])
    plan = _plan(["ra", "rb"])
    machine.seat.rekey(_touch(), plan)
    waiting = machine.lose_key()
    with pytest.raises(RecoveryRefused):
        give(waiting, old, "ra")


def _plan(owners):
    from sealmesh.coordinator.ports import SealPlan
    from sealmesh.manifest import SealMode

    keys = {name: OWNERS[name].public_key() for name in owners}
    return SealPlan(mode=SealMode.PRODUCT_KEY, recovery_keys=keys)


def _touch():
    from sealmesh.coordinator.ports import Change

    return Change(appends=(b"new keys",))


@pytest.mark.parametrize("length", [0, 1, 15, 17, 31, 34, 255, 256, 512, 513])
def test_a_secret_of_a_length_that_no_share_has_is_refused(machine, length):
    shares = machine.found(["ra", "rb"])
    waiting = machine.lose_key()
    with pytest.raises(RecoveryRefused):
        waiting.recover(bytes(length), b"")
    assert give(waiting, shares, "ra") == 1


def test_one_owner_s_wrong_secret_first_does_not_spoil_the_right_one(machine):
    shares = machine.found(["ra"])
    waiting = machine.lose_key()
    assert waiting.recover(b"w" * 32, b"").remaining == 1
    assert give(waiting, shares, "ra") == 0
    assert recovered(waiting)


@pytest.mark.parametrize("signer", ["rb", "a stranger"])
def test_a_share_that_its_owner_did_not_sign_starts_it_over(machine, signer):
    shares = machine.found(["ra", "rb"])
    waiting = machine.lose_key()
    before = machine.seat.recovery()
    give(waiting, shares, "rb")
    with pytest.raises(RecoveryRefused) as caught:
        give(waiting, shares, "ra", signer=signer)
    assert caught.value.code == "recovery-signature"
    assert waiting.status().recovery.given == 0
    assert machine.seat.recovery() == before
    assert not (machine.directory / "sealed_key").exists()
    give(waiting, shares, "ra")
    assert give(waiting, shares, "rb") == 0


def test_one_owner_who_does_not_sign_may_try_again(machine):
    shares = machine.found(["ra"])
    waiting = machine.lose_key()
    with pytest.raises(RecoveryRefused):
        waiting.recover(shares["ra"], b"")
    assert give(waiting, shares, "ra") == 0


def test_too_few_shares_open_nothing(machine):
    shares = machine.found(["ra", "rb", "rc"], 2)
    waiting = machine.lose_key()
    give(waiting, shares, "ra")
    assert waiting.status().code == 1
    again = machine.start()
    assert again.status().recovery.given == 0


def test_there_is_nothing_to_recover_in_a_running_coordinator(machine):
    shares = machine.found(["ra"])
    with pytest.raises(PhaseError):
        give(machine.running, shares, "ra")
    with pytest.raises(PhaseError):
        machine.running.recovery_public_key()


# -- giving the state up ------------------------------------------------------------------------------


def test_a_new_manifest_in_recovery_needs_the_operator_s_word(machine):
    shares = machine.found(["ra"])
    waiting = machine.lose_key()
    with pytest.raises(ResetRefused) as caught:
        waiting.set_manifest(manifest(["rb"]))
    assert "--reset-state" in caught.value.remedy
    assert waiting.status().code == 1
    assert give(waiting, shares, "ra") == 0


@pytest.mark.parametrize(
    "word", [replace(STRICT, reset_state=True), MARBLERUN], ids=["--reset-state", "relaxation"]
)
def test_with_the_operator_s_word_a_new_manifest_replaces_the_state_which_is_kept_aside(machine, word):
    machine.found(["ra"])
    old = machine.running.manifest().raw
    waiting = machine.lose_key(settings=word)
    new = manifest(["rb"])
    waiting.set_manifest(new)
    assert waiting.manifest().raw == new != old
    assert (machine.directory / "sealed_data.old").exists()


def test_the_word_does_not_touch_a_state_that_can_be_read(machine):
    machine.found(["ra"])
    again = machine.start(replace(STRICT, reset_state=True))
    assert again.status().code == 3
    with pytest.raises(PhaseError):
        again.set_manifest(manifest(["rb"]))


# -- the drill ------------------------------------------------------------------------------------------


def asked(coordinator, shares, signers=None):
    signers = signers or {}
    given = {
        name: OwnerShare(share=share, signature=signed(share, signers.get(name, name)))
        for name, share in shares.items()
    }
    return coordinator.drill(given)


@pytest.mark.parametrize(
    ("owners", "threshold", "take"),
    [(["ra"], 0, ["ra"]), (["ra", "rb"], 0, ["ra", "rb"]), (["ra", "rb", "rc"], 2, ["ra", "rc"])],
)
def test_a_drill_proves_that_shares_open_the_state(machine, owners, threshold, take):
    shares = machine.found(owners, threshold)
    found = asked(machine.running, {name: shares[name] for name in take})
    assert found.passed
    assert found.opens
    assert (found.owners, found.threshold) == (len(owners), threshold or len(owners))
    assert {name: item.owner for name, item in found.shares.items()} == {name: name for name in take}


def test_a_drill_changes_nothing(machine):
    shares = machine.found(["ra", "rb"])
    version, leaves = machine.seat.store().version(), machine.seat.store().leaf_count()
    before = machine.files()
    coordinator = machine.start()
    assert asked(coordinator, shares).passed
    assert not asked(coordinator, {"x": os.urandom(32), **shares}).passed
    assert machine.seat.store().version() == version
    assert machine.seat.store().leaf_count() == leaves
    assert coordinator.status().code == 3
    assert machine.files() == before


def test_one_owner_alone_learns_that_his_share_is_good(machine):
    shares = machine.found(["ra", "rb"])
    found = asked(machine.running, {"mine": shares["ra"]}, {"mine": "ra"})
    assert not found.opens
    assert not found.passed
    assert (found.shares["mine"].problem, found.shares["mine"].owner) == ("", "ra")


def test_a_drill_names_each_share_that_a_recovery_would_refuse(machine):
    shares = machine.found(["ra", "rb"])
    found = asked(
        machine.running,
        {
            "ra": shares["ra"],
            "twice": shares["ra"],
            "foreign": os.urandom(32),
            "short": b"s",
            "rb": shares["rb"],
        },
        {"twice": "ra", "foreign": "ra", "short": "ra", "rb": "a stranger"},
    )
    problems = {label: item.problem for label, item in found.shares.items()}
    assert problems["ra"] == ""
    assert "given already" in problems["twice"]
    assert "not one of this state's" in problems["foreign"]
    assert "wrong length" in problems["short"]
    assert "not signed" in problems["rb"]
    assert found.opens
    assert not found.passed


def test_one_owner_s_signature_does_not_count_for_two_shares(machine):
    shares = machine.found(["ra", "rb"])
    found = asked(machine.running, shares, {"rb": "ra"})
    assert found.opens
    assert not found.passed
    assert "signed no other share" in found.shares["rb"].problem


def test_a_drill_before_a_recovery_does_not_count_shares_nor_end_it(machine):
    shares = machine.found(["ra", "rb"])
    waiting = machine.lose_key()
    assert asked(waiting, shares).passed
    assert waiting.status().code == 1
    assert waiting.status().recovery.given == 0
    assert not (machine.directory / "sealed_key").exists()
    assert give(waiting, shares, "ra") == 1
    assert asked(waiting, shares).passed
    assert waiting.status().recovery.given == 1
    assert give(waiting, shares, "rb") == 0


def test_a_drill_without_a_state_or_without_owners_is_refused(machine):
    with pytest.raises(PhaseError):
        machine.start().drill({})
    machine.found([])
    with pytest.raises(DrillRefused):
        machine.running.drill({})


def test_a_drill_of_a_state_in_memory_is_refused(machine):
    machine.start().set_manifest(manifest(["ra"], SealMode="Disabled"))
    with pytest.raises(DrillRefused):
        machine.running.drill({"ra": OwnerShare(share=bytes(32))})


# -- old copies ------------------------------------------------------------------------------------------


@pytest.fixture
def moored(tmp_path):
    made = Machine(tmp_path / "seal", FileAnchor(tmp_path / "anchor"))
    yield made
    if made.running is not None:
        made.running._engine.seat.close()


def put_back(machine, files):
    for path in machine.directory.iterdir():
        path.unlink()
    for name, content in files.items():
        (machine.directory / name).write_bytes(content)


def test_an_old_copy_waits_for_its_owners_and_says_so(moored):
    moored.found(["ra"])
    old = moored.files()
    moored.start().activate(fakes.activation())
    moored.running._engine.seat.close()
    put_back(moored, old)
    waiting = moored.start()
    assert waiting.status().code == 1
    assert "the state has epoch 1; the anchor (" in waiting.status().recovery.reason
    assert "has epoch 2" in waiting.status().recovery.reason


def test_owners_who_recover_an_old_copy_after_the_key_was_taken_too_are_told(moored):
    shares = moored.found(["ra"])
    old = moored.files()
    moored.start().activate(fakes.activation())
    moored.running._engine.seat.close()
    put_back(moored, {name: content for name, content in old.items() if name != "sealed_key"})
    waiting = moored.start()
    assert waiting.status().recovery.reason == "`sealed_key` is missing"
    assert "An older copy of the state was put back" in asked(waiting, shares).remark
    reply = waiting.recover(shares["ra"], signed(shares["ra"], "ra"))
    assert reply.remaining == 0
    assert "epoch 1" in reply.remark
    assert "epoch 2" in reply.remark
    store = moored.seat.store()
    leaf = json.loads(store.leaves(0, store.leaf_count())[-1])
    assert leaf["remark"] == reply.remark
    assert moored.start().status().code == 3


def test_an_anchor_that_is_away_at_the_end_of_a_recovery_costs_no_shares(moored, tmp_path):
    shares = moored.found(["ra", "rb"])
    moored.anchor = FileAnchor(tmp_path / "share" / "anchor")
    (tmp_path / "share").mkdir()
    (tmp_path / "anchor").rename(tmp_path / "share" / "anchor")
    waiting = moored.lose_key()
    give(waiting, shares, "ra")
    (tmp_path / "share").rename(tmp_path / "gone")
    with pytest.raises(AnchorError):
        give(waiting, shares, "rb")
    assert waiting.status().code == 1
    assert waiting.status().recovery.given == 1
    (tmp_path / "gone").rename(tmp_path / "share")
    assert give(waiting, shares, "rb") == 0


# -- the seal mode of an update -----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["ProductKey", "UniqueKey"])
def test_an_update_to_a_seal_mode_that_the_sealer_cannot_keep_is_refused_before_it_changes_anything(
    machine, mode
):
    other = "UniqueKey" if mode == "ProductKey" else "ProductKey"

    def updated(**config):
        return governed.manifest(Governance=None, Config={"UpdateThreshold": 1} | config)

    coordinator = machine.start(replace(STRICT, seal_modes=(other,)))
    coordinator.set_manifest(updated())
    before = coordinator.manifest().raw
    with pytest.raises(UpdateRefused) as caught:
        coordinator.update(updated(SealMode=mode), governed.ADA)
    assert caught.value.wanted == other
    assert coordinator.manifest().raw == before
    coordinator.update(updated(SealMode=other), governed.ADA)
    assert coordinator.manifest().raw == updated(SealMode=other)
