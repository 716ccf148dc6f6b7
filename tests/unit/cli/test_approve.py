"""What the commands of governance make of their words; no Coordinator is asked."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from sealmesh.cli import main
from sealmesh.cli.approved_act import ApprovedAct
from sealmesh.cli.expiry import parse_expiry
from sealmesh.client.approval import parse_approval, read_approval_key
from sealmesh.client.governance import parse_governance
from sealmesh.client.token_uri import parse_token_uri
from sealmesh.coordinator.approvals import (
    reading_subject,
    recovery_subject,
    reset_subject,
    signed_message,
    update_subject,
    verify_signature,
)
from sealmesh.errors.cli import UsageError
from sealmesh.errors.client import TokenError
from sealmesh.errors.governance import SigningFailed
from sealmesh.manifest import GovernedAct

NOW = datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC)
PEM, PKCS8, PLAIN = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
KINDS = {
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "P-521": ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "RSA": rsa.generate_private_key(65537, 2048),
}


def write_key(path: Path, key) -> str:
    path.write_bytes(key.private_bytes(PEM, PKCS8, PLAIN))
    return str(path)


def digest(key) -> str:
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return sha256(der).hexdigest()


MESH = {
    "trustDomain": "mesh-0",
    "root": "0" * 64,
    "coordinator": "1" * 64,
    "manifest": "2" * 64,
    "epoch": 3,
    "rules": {"UpdateManifest": {"threshold": 2, "approvers": ["alice", "bob"]}},
    "keys": {"alice": [digest(KINDS["P-256"])], "bob": [digest(KINDS["P-384"])]},
}
HERE = parse_governance(MESH)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mesh.json").write_text(json.dumps(MESH))
    Path("new.json").write_text('{"Packages": {}}')
    write_key(Path("alice.pem"), KINDS["P-256"])
    write_key(Path("eve.pem"), KINDS["P-521"])
    return tmp_path


MAKE = ("approve", "make", "--act", "UpdateManifest", "--file", "new.json", "--mesh", "mesh.json")
GOOD = (*MAKE, "--key", "alice.pem", "--reason", "why")


def said(capsys, *words: str) -> tuple[int, dict]:
    code = main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_an_approval_names_what_the_mesh_file_says(folder, capsys):
    code, document = said(capsys, *GOOD, "-o", "a.approval")
    assert code == 0
    approval = parse_approval(Path("a.approval").read_bytes()).approval
    assert (approval.mesh.root, approval.manifest.fingerprint, approval.manifest.number) == (
        "0" * 64,
        "2" * 64,
        3,
    )
    assert (approval.approver, approval.subject) == ("alice", update_subject(b'{"Packages": {}}'))
    assert document["approval"]["reason"] == "why"
    assert timedelta(days=6, hours=23) < approval.not_after - datetime.now(UTC) <= timedelta(days=7)


def test_without_a_file_the_approval_itself_is_printed(folder, capsysbinary):
    assert main(list(GOOD)) == 0
    assert parse_approval(capsysbinary.readouterr().out).approval.approver == "alice"


WRONG = [
    ("a key of nobody", (*MAKE, "--key", "eve.pem", "--reason", "why")),
    ("another's name", (*GOOD, "--approver", "bob")),
    ("both sources", (*GOOD, "--coordinator", "localhost:1")),
    ("no reason", (*MAKE, "--key", "alice.pem", "--reason", " ")),
    ("an end that is over", (*GOOD, "--expires", "2020-01-01T00:00:00Z")),
    ("an end that is none", (*GOOD, "--expires", "soon")),
    ("a subject and a file", (*GOOD, "--subject", "0" * 64)),
    ("no such key", (*MAKE, "--key", "gone.pem", "--reason", "why")),
]


@pytest.mark.parametrize(("what", "words"), WRONG, ids=[row[0] for row in WRONG])
def test_what_does_not_fit_is_refused_and_nothing_is_written(folder, capsys, what, words):
    code, document = said(capsys, *words, "-o", "a.approval")
    assert code == 1
    assert document["error"]["code"]
    assert not Path("a.approval").exists()


def test_a_shown_approval_is_said_not_to_be_verified(folder, capsys):
    main([*GOOD, "-o", "a.approval"])
    capsys.readouterr()
    assert main(["approve", "show", "a.approval"]) == 0
    text = capsys.readouterr().out
    assert "reason:   why" in text
    assert "The signature was not checked." in text


SUBJECTS = [
    (ApprovedAct(act="update-packages", file=Path("new.json")), update_subject(b'{"Packages": {}}')),
    (ApprovedAct(act="CANCELUPDATE", file=Path("new.json")), update_subject(b'{"Packages": {}}')),
    (ApprovedAct(act="ReadSecrets", secrets=("b", "a"), reader="ada"), reading_subject("ada", ["a", "b"])),
    (ApprovedAct(act="Recover"), recovery_subject("1" * 64)),
    (ApprovedAct(act="Reset", file=Path("new.json")), reset_subject("1" * 64, b'{"Packages": {}}')),
    (ApprovedAct(act="Reset", subject="A" * 64), "a" * 64),
]


@pytest.mark.parametrize(("act", "subject"), SUBJECTS, ids=[row[0].act for row in SUBJECTS])
def test_each_act_has_the_subject_that_the_coordinator_computes(folder, act, subject):
    assert act.digest(HERE) == subject


@pytest.mark.parametrize(
    "act",
    [
        ApprovedAct(act="UpdateEverything"),
        ApprovedAct(act="UpdateManifest"),
        ApprovedAct(act="WriteSecrets"),
        ApprovedAct(act="ReadSecrets", secrets=("a",)),
        ApprovedAct(act="ReadSecrets", reader="ada"),
        ApprovedAct(act="Recover", subject="xyz"),
    ],
    ids=lambda act: act.act,
)
def test_an_act_that_is_not_said_in_full_is_refused(folder, act):
    with pytest.raises(UsageError):
        act.digest(HERE)


@pytest.mark.parametrize("act", GovernedAct)
def test_acts_are_written_in_any_case_and_with_dashes(act):
    dashed = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in act).lstrip("-")
    assert ApprovedAct(act=dashed).kind() is ApprovedAct(act=str(act)).kind() is act


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_file_of_each_kind_signs_what_the_coordinator_verifies(tmp_path, kind):
    key = read_approval_key(write_key(tmp_path / "key.pem", KINDS[kind]))
    verify_signature(key.public, b"message", key.sign(b"message"))
    assert signed_message  # the same scheme for the document


def test_other_keys_cannot_approve(tmp_path):
    encrypted = KINDS["RSA"].private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"secret"))
    (tmp_path / "encrypted.pem").write_bytes(encrypted)
    write_key(tmp_path / "dsa.pem", dsa.generate_private_key(2048))
    (tmp_path / "no.pem").write_text("no key")
    for name in ("encrypted.pem", "dsa.pem", "no.pem", "gone.pem"):
        with pytest.raises(SigningFailed):
            read_approval_key(str(tmp_path / name))


@pytest.mark.parametrize(
    ("text", "span"), [("7d", {"days": 7}), ("12h", {"hours": 12}), ("30m", {"minutes": 30})]
)
def test_an_end_is_a_span(text, span):
    assert parse_expiry(text, NOW) == NOW.replace(microsecond=0) + timedelta(**span)


def test_an_end_is_a_time_with_its_zone():
    assert parse_expiry("2026-03-05T02:00:00+02:00", NOW) == datetime(2026, 3, 5, tzinfo=UTC)
    for text in ("2026-03-05T02:00:00", "2026-03-04T05:06:06Z", "0d", "1w", "-1d", "9999999d", ""):
        with pytest.raises(UsageError):
            parse_expiry(text, NOW)


LIBRARY = "module-path=/lib.so"


def test_a_pkcs11_uri_names_token_and_key(tmp_path, monkeypatch):
    monkeypatch.setenv("SEALMESH_PKCS11_PIN", "0")
    (tmp_path / "pin").write_text("5678\n")
    uri = f"pkcs11:token=my%20ops;object=alice;id=%01%02?{LIBRARY}&pin-source={tmp_path / 'pin'}"
    found = parse_token_uri(uri)
    assert (found.configuration.label, found.label, found.key_id) == ("my ops", "alice", b"\x01\x02")
    assert (str(found.configuration.library), found.configuration.pin) == ("/lib.so", "5678")
    assert parse_token_uri(f"pkcs11:serial=1;object=a?{LIBRARY}").configuration.pin == "0"
    assert "5678" not in repr(found)


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:",
        "pkcs11:token=ops;object=a",
        f"pkcs11:object=a?{LIBRARY}",
        f"pkcs11:token=ops;object=a;colour=red?{LIBRARY}",
        f"pkcs11:token=ops;token=dev;object=a?{LIBRARY}",
        f"pkcs11:slot-id=one;object=a?{LIBRARY}",
        f"pkcs11:token=ops;object=a?{LIBRARY}&pin-source=/gone",
    ],
)
def test_a_uri_that_names_no_one_token_is_refused(uri):
    with pytest.raises(TokenError):
        parse_token_uri(uri)
