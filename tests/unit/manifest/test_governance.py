"""Governance rules that could be got round, or never met, are no manifest."""

import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from sealmesh.errors.manifest import ManifestError
from sealmesh.manifest import GovernedAct, is_package_update, lint, parse_manifest

ALICE, BOB, CAROL = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))


def pem(key) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def certificate(key, name: str, serial: int = 1) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(
        subject,
        subject,
        key.public_key(),
        serial,
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime(2021, 1, 1, tzinfo=UTC),
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


APPROVERS = {name: {"Keys": [pem(key)]} for name, key in (("alice", ALICE), ("bob", BOB), ("carol", CAROL))}
TWO = {"UpdateManifest": {"Threshold": 2}}


def raw(approvers=APPROVERS, rules=TWO, **more) -> bytes:
    document = {
        "Packages": {"oven": {"SignerID": "c0ffee00" * 8, "ProductID": 7, "SecurityVersion": 3}},
        "Marbles": {"baker": {"Package": "oven"}},
        "Config": {"FeatureGates": ["Governance"]},
        "Governance": {"Approvers": approvers, "Rules": rules},
    }
    return json.dumps(
        {name: value for name, value in (document | more).items() if value is not None}
    ).encode()


def codes(document: bytes) -> list[str]:
    with pytest.raises(ManifestError) as refused:
        parse_manifest(document)
    return [violation.code.removeprefix("manifest.") for violation in refused.value.violations]


def test_rules_are_read():
    governance = parse_manifest(
        raw(rules=TWO | {"ReadSecrets": {"Threshold": 1, "Approvers": ["bob"]}})
    ).governance
    assert set(governance.approvers) == {"alice", "bob", "carol"}
    assert governance.rules[GovernedAct.UPDATE_MANIFEST].approvers == ("alice", "bob", "carol")
    assert governance.rules[GovernedAct.READ_SECRETS].approvers == ("bob",)


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)])
def test_other_kinds_of_keys_may_approve(key):
    approvers = APPROVERS | {"dora": {"Keys": [pem(key)]}}
    assert len(parse_manifest(raw(approvers)).governance.approvers["dora"].keys) == 1


def test_a_certificate_stands_for_its_key_also_an_expired_one():
    by_key = parse_manifest(raw()).governance.approvers["alice"]
    approvers = APPROVERS | {"alice": {"Keys": [certificate(ALICE, "anybody")]}}
    assert parse_manifest(raw(approvers)).governance.approvers["alice"] == by_key


REFUSED = [
    ("the gate without rules", "governance.none", {"Governance": None}),
    ("rules without the gate", "gate.missing", {"Config": {}}),
    ("nothing is reserved", "governance.none", {"Governance": {"Approvers": APPROVERS, "Rules": {}}}),
]


@pytest.mark.parametrize(("attack", "code", "changes"), REFUSED, ids=[row[0] for row in REFUSED])
def test_gate_and_rules_come_together(attack, code, changes):
    assert code in codes(raw(**changes))


def rules_of(**rules) -> dict:
    return {"rules": rules}


WAYS_ROUND = [
    (
        "one person under two names",
        "governance.same-key",
        {"approvers": APPROVERS | {"eve": {"Keys": [pem(ALICE)]}}},
    ),
    (
        "one person under two certificates",
        "governance.same-key",
        {
            "approvers": {
                "a": {"Keys": [certificate(ALICE, "a", 1)]},
                "b": {"Keys": [certificate(ALICE, "b", 2)]},
            }
        },
    ),
    ("the rules change alone", "governance.way-round", rules_of(ReadSecrets={"Threshold": 2})),
    (
        "fewer change the rules than they ask for",
        "governance.way-round",
        rules_of(UpdateManifest={"Threshold": 1}, ReadSecrets={"Threshold": 2}),
    ),
    ("nobody has to approve", "governance.bad-threshold", rules_of(UpdateManifest={"Threshold": 0})),
    ("no threshold", "governance.bad-threshold", rules_of(UpdateManifest={})),
    ("more than there are", "governance.bad-threshold", rules_of(UpdateManifest={"Threshold": 4})),
    (
        "one name twice",
        "governance.repeated-approver",
        rules_of(UpdateManifest={"Threshold": 2, "Approvers": ["alice", "bob", "alice"]}),
    ),
    (
        "one name twice counts once",
        "governance.bad-threshold",
        rules_of(UpdateManifest={"Threshold": 2, "Approvers": ["alice", "alice"]}),
    ),
    (
        "a stranger approves",
        "governance.unknown-approver",
        rules_of(UpdateManifest={"Threshold": 2, "Approvers": ["alice", "mallory"]}),
    ),
    ("an act that does not exist", "governance.unknown-act", rules_of(**TWO, readsecrets={"Threshold": 1})),
    ("a person without keys", "governance.no-key", {"approvers": APPROVERS | {"eve": {"Keys": []}}}),
    ("no key", "governance.bad-key", {"approvers": APPROVERS | {"eve": {"Keys": ["key"]}}}),
    (
        "a key that cannot sign",
        "governance.bad-key",
        {"approvers": APPROVERS | {"eve": {"Keys": [pem(x25519.X25519PrivateKey.generate())]}}},
    ),
    (
        "a weak key",
        "governance.bad-key",
        {"approvers": APPROVERS | {"eve": {"Keys": [pem(rsa.generate_private_key(65537, 1024))]}}},
    ),
    (
        "a curve that nobody else reads",
        "governance.bad-key",
        {"approvers": APPROVERS | {"eve": {"Keys": [pem(ec.generate_private_key(ec.SECP256K1()))]}}},
    ),
]


@pytest.mark.parametrize(("attack", "code", "changes"), WAYS_ROUND, ids=[row[0] for row in WAYS_ROUND])
def test_a_way_round_is_refused(attack, code, changes):
    assert f"{code}" in codes(raw(**changes))


def test_two_users_with_one_key_would_acknowledge_twice():
    users = {
        "ada": {"Certificate": certificate(ALICE, "ada", 1)},
        "eve": {"Certificate": certificate(ALICE, "eve", 2)},
    }
    assert codes(raw(Users=users)) == ["governance.users-share-key"]
    parse_manifest(raw(Users=users, Governance=None, Config={}))  # as MarbleRun has it


def test_rules_cannot_be_changed_by_a_package_update():
    document = {"Packages": {"oven": {"SecurityVersion": 4}}, "Governance": {"Approvers": {}, "Rules": {}}}
    assert not is_package_update(json.dumps(document).encode())


def advice(**how) -> list[str]:
    return [item.code for item in lint(parse_manifest(raw(**how)))]


def test_a_rule_that_needs_everybody_is_pointed_out():
    assert "lint.no-spare-approver" in advice(rules={"UpdateManifest": {"Threshold": 3}})
    assert "lint.no-spare-approver" not in advice()
    assert "lint.no-spare-approver" not in advice(
        rules={"UpdateManifest": {"Threshold": 1, "Approvers": ["bob"]}}
    )


def test_a_recovery_that_nobody_can_make_needs_no_approval():
    rules = TWO | {"Recover": {"Threshold": 2}}
    assert "lint.recovery-reserved-to-nobody" in advice(rules=rules)
    key = pem(rsa.generate_private_key(65537, 2048))
    assert "lint.recovery-reserved-to-nobody" not in advice(rules=rules, RecoveryKeys={"owner": key})
