"""One insider alone can do nothing that the manifest reserves to several.

Eve has every role there is, mallory none; both can talk to the Coordinator as they like, on every route of
MarbleRun's. Each attack states the refusal and that nothing but the log has changed.
"""

import asyncio
import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import governed
import pytest

from sealmesh.adapters.http import Calls, Request, Silence
from sealmesh.adapters.http.exchange import BodyState
from sealmesh.adapters.rest.application import RestApplication
from sealmesh.coordinator.api import SecretUpload
from sealmesh.coordinator.approvals import (
    ManifestEpoch,
    Mesh,
    encode_approval,
    parse_approval,
    reading_subject,
    update_subject,
    writing_subject,
)
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import UserUnauthenticated
from sealmesh.errors.governance import ApprovalFormatError, ApprovalRefused, ApprovalsMissing
from sealmesh.errors.manifest import ManifestError
from sealmesh.manifest import GovernedAct
from sealmesh.wire.rest_v1 import acknowledged

ADA, EVE, MALLORY, KEYS, manifest = (
    governed.ADA,
    governed.EVE,
    governed.MALLORY,
    governed.KEYS,
    governed.manifest,
)
NEW = manifest(Marbles={"baker": {"Package": "oven", "MaxActivations": 9}})
HIGHER = json.dumps({"Packages": {"oven": {"SecurityVersion": 4}}}).encode()
RYE = {"recipe": SecretUpload(key=b"rye")}
UPDATE = GovernedAct.UPDATE_MANIFEST


@pytest.fixture
def world():
    return governed.world()


def refused_act(world, act, error=ApprovalsMissing) -> SealmeshError:
    """Try it, and see that nothing has changed but the log and the ledger."""
    before, leaves = world.facts(), len(world.leaves())
    with pytest.raises(error) as refused:
        act()
    assert world.facts() == before
    assert world.leaves()[leaves:] == ["act-unapproved"]
    assert world.events()[-1] == "refused: not approved"
    return refused.value


def refused_approval(world, raw, code, chain=EVE) -> None:
    """Hand it in, and see that it does not count and that this is logged."""
    before, leaves = world.facts(), len(world.leaves())
    with pytest.raises((ApprovalRefused, ApprovalFormatError)) as refused:
        world.coordinator.submit_approval(raw, chain)
    assert refused.value.code == code
    assert world.facts() == before
    assert world.leaves()[leaves:] == ["approval-refused"]
    assert json.loads(world.coordinator.update_log()[-1])["code"] == code


# --- doing it alone -------------------------------------------------------------------------------------


def test_an_insider_cannot_read_a_secret(world):
    refused_act(world, lambda: world.coordinator.get_secrets(("recipe",), EVE))


def test_an_insider_cannot_write_a_secret(world):
    refused_act(world, lambda: world.coordinator.set_secrets(RYE, EVE))


def test_an_insider_cannot_update_a_package(world):
    refused_act(world, lambda: world.coordinator.update(HIGHER, EVE))
    assert world.state.package("oven").security_version == 3


def test_an_insider_cannot_update_the_manifest_with_an_approval_of_his_own(world):
    raw = world.approval(UPDATE, update_subject(NEW), "alice")  # eve is alice, say
    world.coordinator.submit_approval(raw, EVE)
    reply = world.coordinator.update(NEW, EVE)
    assert (reply.applied, reply.missing_acknowledgments) == (False, 1)
    assert not world.coordinator.acknowledge(NEW, EVE).applied
    assert world.state.running.raw != NEW


def test_an_insider_cannot_cancel_what_others_proposed(world):
    world.coordinator.update(NEW, ADA)
    refused_act(world, lambda: world.coordinator.cancel(EVE))
    assert world.coordinator.pending_update().raw == NEW


# --- going round ----------------------------------------------------------------------------------------

WEAKER = [
    ("without the section", {"Governance": None, "Config": {"UpdateThreshold": 1}}),
    ("with thresholds of 1", {"rules": {name: {"Threshold": 1} for name in governed.EVERYTHING}}),
    (
        "with himself as the only approver",
        {
            "Governance": {
                "Approvers": {"eve": {"Keys": [KEYS["eve"].pem]}},
                "Rules": {"UpdateManifest": {"Threshold": 1}},
            }
        },
    ),
]


@pytest.mark.parametrize(("attack", "changes"), WEAKER, ids=[row[0] for row in WEAKER])
def test_the_rules_in_force_decide_about_an_update_of_the_rules(world, attack, changes):
    weaker = manifest(**changes)
    assert not world.coordinator.update(weaker, EVE).applied
    assert not world.coordinator.acknowledge(weaker, EVE).applied
    raw = world.approval(UPDATE, update_subject(weaker), "alice", key=KEYS["alice"])
    world.coordinator.submit_approval(raw, EVE)
    assert not world.coordinator.acknowledge(weaker, EVE).applied
    assert world.state.running.manifest.governance.rules[UPDATE].threshold == 2
    refused_act(world, lambda: world.coordinator.get_secrets(("recipe",), EVE))


def test_a_rule_that_fewer_could_take_away_is_no_manifest(world):
    weaker = manifest(rules={"UpdateManifest": {"Threshold": 1}, "ReadSecrets": {"Threshold": 2}})
    before = world.facts()
    with pytest.raises(ManifestError):
        world.coordinator.update(weaker, EVE)
    assert world.facts() == before


def test_rules_cannot_be_smuggled_into_a_package_update(world):
    raw = json.dumps(json.loads(HIGHER) | {"Governance": {"Approvers": {}, "Rules": {}}}).encode()
    before = world.facts()
    with pytest.raises(ManifestError):
        world.coordinator.update(raw, EVE)
    assert world.facts() == before


def test_a_relaxed_coordinator_keeps_the_rules():
    world = governed.world(settings=Settings(relaxations=frozenset(Relaxation)))
    refused_act(world, lambda: world.coordinator.get_secrets(("recipe",), EVE))
    assert not world.coordinator.update(NEW, EVE).applied


def test_a_stranger_with_a_users_certificate_behind_his_own_is_nobody():
    for relaxations in (governed.EMPTY_QUOTES, Settings(relaxations=frozenset(Relaxation))):
        world = governed.world(settings=relaxations)
        before, leaves = world.facts(), len(world.leaves())
        for act in (
            lambda world=world: world.coordinator.submit_approval(b"{}", (*MALLORY, *EVE)),
            lambda world=world: world.coordinator.update(NEW, (*MALLORY, *EVE)),
            lambda world=world: world.coordinator.approvals((*MALLORY, *EVE)),
        ):
            with pytest.raises(UserUnauthenticated):
                act()
        assert (world.facts(), len(world.leaves())) == (before, leaves)


def test_nobody_fills_the_log_without_being_a_user(world):
    before = world.coordinator.update_log()
    with pytest.raises(UserUnauthenticated):
        world.coordinator.submit_approval(world.approval(UPDATE, update_subject(NEW)), MALLORY)
    assert world.coordinator.update_log() == before


# --- one person for two ---------------------------------------------------------------------------------


def test_the_same_approval_twice_counts_once(world):
    raw = world.approval(UPDATE, update_subject(NEW), "alice")
    world.coordinator.submit_approval(raw, EVE)
    refused_approval(world, raw, "approval-repeated")
    refused_approval(world, b" " + raw, "approval-repeated")
    assert world.coordinator.approvals(EVE)[0].missing == 1


def test_two_approvals_of_one_person_count_once(world):
    world.approve(UPDATE, update_subject(NEW), "alice")
    refused_approval(world, world.approval(UPDATE, update_subject(NEW), "alice"), "approval-repeated")
    assert not world.coordinator.update(NEW, EVE).applied


def test_one_person_with_two_keys_counts_once():
    second = governed.Key()
    rules = json.loads(manifest())["Governance"]
    rules["Approvers"]["alice"]["Keys"].append(second.pem)
    world = governed.world(manifest(Governance=rules))
    subject = update_subject(NEW)
    world.approve(UPDATE, subject, "alice")
    refused_approval(world, world.approval(UPDATE, subject, "alice", key=second), "approval-repeated")


def test_one_person_under_another_name_does_not_count(world):
    raw = world.approval(UPDATE, update_subject(NEW), "bob", key=KEYS["alice"])
    refused_approval(world, raw, "approval-unknown-approver")


def test_one_person_who_claims_anothers_key_does_not_count(world):
    signed = parse_approval(world.approval(UPDATE, update_subject(NEW), "bob", key=KEYS["alice"]))
    claimed = replace(signed, key=world.coordinator.governance().keys["bob"][0])
    refused_approval(world, encode_approval(claimed), "approval-signature")


# --- approvals that do not count here -------------------------------------------------------------------


def other_mesh(world) -> Mesh:
    return Mesh.of(governed.world().state.authority.root_cert)


REFUSED = [
    ("by a stranger", "approval-unknown-approver", lambda w: {"approver": "mallory"}),
    ("by a user who is no approver", "approval-unknown-approver", lambda w: {"approver": "eve"}),
    ("expired", "approval-expired", lambda w: {"not_after": w.clock()}),
    ("for years", "approval-too-long", lambda w: {"not_after": w.clock() + timedelta(days=32)}),
    ("for another mesh", "approval-other-mesh", lambda w: {"mesh": other_mesh(w)}),
    (
        "for another mesh of the same name",
        "approval-other-mesh",
        lambda w: {"mesh": replace(w.consent(UPDATE, "").mesh, root="0" * 64)},
    ),
    (
        "under another manifest",
        "approval-other-manifest",
        lambda w: {"manifest": ManifestEpoch(fingerprint="0" * 64, number=1)},
    ),
    (
        "under the same manifest at another time",
        "approval-other-manifest",
        lambda w: {"manifest": replace(w.consent(UPDATE, "").manifest, number=2)},
    ),
    ("for a recovery of a state that is open", "approval-not-needed", lambda w: {"act": GovernedAct.RECOVER}),
]


@pytest.mark.parametrize(("attack", "code", "changes"), REFUSED, ids=[row[0] for row in REFUSED])
def test_an_approval_that_does_not_count_is_refused_and_logged(world, attack, code, changes):
    made = changes(world)
    key = KEYS[made.get("approver", "alice")]
    subject = update_subject(NEW)
    consent = replace(world.consent(UPDATE, subject, "alice"), **made)
    raw = governed.make_approval(consent, key, entropy=world.coordinator._engine.context().entropy)
    refused_approval(world, raw, code)


def test_an_approval_of_another_act_does_not_count():
    world = governed.world()
    world.coordinator.update(NEW, EVE)
    world.approve(UPDATE, update_subject(NEW))  # the same subject as cancelling it
    refused_act(world, lambda: world.coordinator.cancel(EVE))


def test_an_approval_of_another_subject_does_not_count(world):
    world.approve(UPDATE, update_subject(NEW))
    other = manifest(Marbles={"baker": {"Package": "oven", "MaxActivations": 8}})
    assert not world.coordinator.update(other, EVE).applied
    world.approve(GovernedAct.READ_SECRETS, reading_subject("ada", ["recipe"]))
    refused_act(world, lambda: world.coordinator.get_secrets(("recipe",), EVE))


def test_other_values_than_the_approved_are_not_written(world):
    root = Mesh.of(world.state.authority.root_cert).root
    world.approve(GovernedAct.WRITE_SECRETS, writing_subject(RYE, root=root))
    refused_act(world, lambda: world.coordinator.set_secrets({"recipe": SecretUpload(key=b"oat")}, EVE))


def test_an_act_that_is_not_reserved_takes_no_approvals():
    world = governed.world(manifest(rules={"UpdateManifest": {"Threshold": 2}}))
    refused_approval(
        world,
        world.approval(GovernedAct.READ_SECRETS, reading_subject("eve", ["recipe"])),
        "approval-not-needed",
    )


FORGED = [
    ("another reason", {"reason": "harmless"}),
    ("another subject", {"subject": "0" * 64}),
    ("another act", {"act": GovernedAct.READ_SECRETS}),
    ("a later end", {"not_after": governed.fakes.NOW.replace(microsecond=0) + timedelta(days=9)}),
    ("another id", {"id": "0" * 32}),
    ("another approver with the same key named", {"approver": "alice "}),
]


@pytest.mark.parametrize(("attack", "changes"), FORGED, ids=[row[0] for row in FORGED])
def test_a_changed_approval_does_not_verify(world, attack, changes):
    signed = parse_approval(world.approval(UPDATE, update_subject(NEW)))
    forged = replace(signed, approval=replace(signed.approval, **changes))
    code = "approval-unknown-approver" if "approver" in changes else "approval-signature"
    refused_approval(world, encode_approval(forged), code)


def test_a_signature_on_the_document_without_its_label_is_none(world):
    signed = parse_approval(world.approval(UPDATE, update_subject(NEW)))
    from sealmesh.ledger.canonical import canonical_json

    bare = replace(signed, signature=KEYS["alice"].sign(canonical_json(signed.approval.members())))
    refused_approval(world, encode_approval(bare), "approval-signature")


def changed_file(raw: bytes, **members) -> bytes:
    document = json.loads(raw)
    document["approval"] |= members
    return json.dumps(document).encode()


MALFORMED = [
    ("nothing", lambda raw: b""),
    ("no JSON", lambda raw: b"approved"),
    ("a list", lambda raw: b"[]"),
    ("too large", lambda raw: raw + b" " * 9000),
    ("a member more", lambda raw: changed_file(raw, comment="x")),
    ("a member twice", lambda raw: raw.replace(b'"reason"', b'"reason": "x", "reason"')),
    ("another version", lambda raw: changed_file(raw, format="sealmesh-approval-v2")),
    ("no reason", lambda raw: changed_file(raw, reason=" ")),
    ("a reason of two lines", lambda raw: changed_file(raw, reason="a\nb")),
    ("a short id", lambda raw: changed_file(raw, id="00")),
    ("an act that is none", lambda raw: changed_file(raw, act="Anything")),
    ("a time that is none", lambda raw: changed_file(raw, notAfter="tomorrow")),
    ("a time in another form", lambda raw: changed_file(raw, notAfter="2026-3-5T00:00:00Z")),
    (
        "an epoch that is none",
        lambda raw: changed_file(raw, manifest={"fingerprint": "0" * 64, "epoch": True}),
    ),
    ("upper case", lambda raw: changed_file(raw, subject="A" * 64)),
]


@pytest.mark.parametrize(("attack", "change"), MALFORMED, ids=[row[0] for row in MALFORMED])
def test_a_file_that_is_no_approval_is_refused(world, attack, change):
    refused_approval(world, change(world.approval(UPDATE, update_subject(NEW))), "approval-format")


def test_a_blank_signature_or_one_that_is_not_base64_is_refused(world):
    document = json.loads(world.approval(UPDATE, update_subject(NEW)))
    for value, code in ((b64encode(b"").decode(), "approval-signature"), ("!", "approval-format")):
        document["signature"]["value"] = value
        refused_approval(world, json.dumps(document).encode(), code)


# --- again ----------------------------------------------------------------------------------------------


def test_a_used_approval_does_not_count_again(world):
    subject = reading_subject("eve", ["recipe"])
    files = [world.approval(GovernedAct.READ_SECRETS, subject, name) for name in ("alice", "bob")]
    for raw in files:
        world.coordinator.submit_approval(raw, EVE)
    world.coordinator.get_secrets(("recipe",), EVE)
    refused_act(world, lambda: world.coordinator.get_secrets(("recipe",), EVE))
    for raw in files:
        refused_approval(world, raw, "approval-used")
    refused_act(world, lambda: world.coordinator.get_secrets(("recipe",), EVE))


def test_used_approvals_stay_used_when_the_host_sets_its_clock_back(world):
    subject = reading_subject("eve", ["recipe"])
    raw = world.approval(GovernedAct.READ_SECRETS, subject, "alice")
    world.coordinator.submit_approval(raw, EVE)
    world.approve(GovernedAct.READ_SECRETS, subject, "bob")
    world.coordinator.get_secrets(("recipe",), EVE)
    world.clock.forward(days=20)
    world.approve(UPDATE, update_subject(NEW), "carol")  # cleans up what expired
    world.clock.forward(days=-20)
    refused_approval(world, raw, "approval-used")


def test_an_approval_does_not_survive_the_manifest_not_even_its_return(world):
    first = world.state.running.raw
    raw = world.approval(GovernedAct.READ_SECRETS, reading_subject("eve", ["recipe"]), "alice")
    world.coordinator.submit_approval(raw, EVE)
    for document in (NEW, first):
        world.approve(UPDATE, update_subject(document))
        assert world.coordinator.update(document, EVE).applied
    assert world.state.running.raw == first
    refused_approval(world, raw, "approval-other-manifest")
    refused_act(world, lambda: world.coordinator.get_secrets(("recipe",), EVE))


def test_an_approval_does_not_survive_a_higher_package_version(world):
    raw = world.approval(UPDATE, update_subject(NEW), "carol")  # NEW would lower it again
    world.approve(GovernedAct.UPDATE_PACKAGES, update_subject(HIGHER))
    world.coordinator.update(HIGHER, EVE)
    refused_approval(world, raw, "approval-other-manifest")


def test_two_workers_cannot_both_use_the_same_approvals(world):
    subject = reading_subject("eve", ["recipe"])
    world.approve(GovernedAct.READ_SECRETS, subject)
    world.store.before_commit = lambda: world.coordinator.get_secrets(("recipe",), EVE)
    with pytest.raises(ApprovalsMissing):
        world.coordinator.get_secrets(("recipe",), EVE)
    assert world.leaves().count("secrets-read") == 1


def test_an_expired_approval_in_the_book_does_not_count(world):
    subject = reading_subject("eve", ["recipe"])
    world.approve(GovernedAct.READ_SECRETS, subject)
    world.clock.forward(days=1)
    refused_act(world, lambda: world.coordinator.get_secrets(("recipe",), EVE))


def test_an_approver_cannot_fill_the_book(world):
    for number in range(64):
        world.approve(UPDATE, f"{number:064x}", "alice")
    refused_approval(world, world.approval(UPDATE, update_subject(NEW), "alice"), "limit:approvals")
    world.approve(UPDATE, update_subject(NEW), "bob", "carol")
    assert world.coordinator.update(NEW, EVE).applied


def test_a_client_of_marbleruns_first_api_is_not_told_that_it_is_applied(world):
    world.coordinator.update(NEW, ADA)
    reply = world.coordinator.acknowledge(NEW, EVE)
    assert reply.missing_acknowledgments == 2
    assert not acknowledged(reply.missing_acknowledgments).startswith("All")


def test_an_insider_cannot_fill_the_state_with_refusals(world):
    for _ in range(300):
        with pytest.raises(ApprovalsMissing):
            world.coordinator.get_secrets(("recipe",), EVE)
    for _ in range(20):
        with pytest.raises(ApprovalFormatError):
            world.coordinator.submit_approval(b"", EVE)
    assert world.events().count("refused: not approved") == 256
    assert "approval refused" not in world.events()
    refused_approval(world, b"", "approval-format", chain=ADA)  # others are logged all the same
    world.approve(UPDATE, update_subject(NEW))
    assert world.coordinator.update(NEW, EVE).applied
    refused_approval(world, b"", "approval-format")  # with the next epoch he is too


def request(method: str, path: str, query: str = "", body: object = None) -> Request:
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Request(
        method=method,
        path=path,
        query=query,
        headers=(),
        body=sent,
        body_state=BodyState.WHOLE,
        peer_address="192.0.2.1",
        peer_chain=lambda: EVE,
        has_trailers=True,
    )


NEW_B64, HIGHER_B64 = b64encode(NEW).decode(), b64encode(HIGHER).decode()
UPLOADED = {"recipe": {"Key": b64encode(b"rye").decode()}}
ROUTES = {
    "v1 read": request("GET", "/secrets", "s=recipe"),
    "v1 write": request("POST", "/secrets", body=UPLOADED),
    "v1 packages": request("POST", "/update", body=HIGHER),
    "v1 cancel": request("POST", "/update-cancel"),
    "v2 read": request("GET", "/api/v2/secrets", "s=recipe"),
    "v2 write": request("POST", "/api/v2/secrets", body={"secrets": UPLOADED}),
    "v2 packages": request("POST", "/api/v2/update", body={"manifest": HIGHER_B64}),
    "v2 cancel": request("POST", "/api/v2/update-cancel"),
}
WAITING_ROUTES = {
    "v1 propose": request("POST", "/update", body=NEW),
    "v1 acknowledge": request("POST", "/update-manifest", body=NEW),
    "v2 propose": request("POST", "/api/v2/update", body={"manifest": NEW_B64}),
    "v2 acknowledge": request("POST", "/api/v2/update-manifest", body={"manifest": NEW_B64}),
}


def asked(world, sent: Request):
    calls = Calls(threads=1, waiting=4)
    try:
        return asyncio.run(RestApplication(world.coordinator, calls=calls, observer=Silence())(sent))
    finally:
        calls.close()


@pytest.mark.parametrize("route", ROUTES)
def test_no_route_of_marbleruns_goes_round(world, route):
    if "cancel" in route:
        world.coordinator.update(NEW, ADA)
    before = world.facts()
    answer = asked(world, ROUTES[route])
    assert answer.status == (400 if route.startswith("v1") else 500)
    assert b"to several" in answer.body
    assert world.facts() == before


@pytest.mark.parametrize("route", WAITING_ROUTES)
def test_no_route_of_marbleruns_applies_an_update_alone(world, route):
    if "acknowledge" in route:
        world.coordinator.update(NEW, ADA)
    asked(world, WAITING_ROUTES[route])
    assert world.state.running.raw != NEW
    assert world.coordinator.pending_update().missing_acknowledgments == 2
