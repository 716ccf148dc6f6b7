import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation import INTEL
from sealmesh.errors import SealmeshError
from sealmesh.errors.attestation import AppraisalError, VerificationError
from sealmesh.errors.ledger import NoteError, StatementError
from sealmesh.ledger import MAX_NONCE_BYTES, parse_statement, verify_statement
from sealmesh.ledger.statement import StatementDraft


def verify(document: bytes, bench, **changes):
    arguments = {"now": bench.now, "nonce": bench.nonce} | changes
    return verify_statement(document, arguments.pop("policy", bench.policy()), **arguments)


def resealed(bench, path: str, value) -> bytes:
    """A statement with one member changed, over which the genuine Coordinator's hardware made Evidence."""
    body = json.loads(json.dumps(dict(bench.draft().body)))
    members, *names = body, *path.split(".")
    for name in names[:-1]:
        members = members[name]
    members[names[-1]] = value
    return bench.complete(StatementDraft(body))


def test_a_genuine_statement_verifies_and_says_what_it_holds(bench) -> None:
    found = verify(bench.statement(), bench)
    assert found.simulation is True
    assert found.claims.mr_signer == bench.enclave.signer_id
    assert found.manifest_raw == bench.manifest
    assert found.root == bench.authority.root_cert
    assert found.checkpoint.size == 1
    assert found.authority["access"] == [{"from": ["cashier"], "to": "baker", "ports": ["8443"]}]


def test_blanks_and_order_of_the_document_do_not_matter(bench) -> None:
    document = json.loads(bench.statement())
    verify(json.dumps(dict(reversed(document.items()))).encode(), bench)


def test_it_verifies_again_years_later_at_its_own_time(bench) -> None:
    document = bench.statement()
    later = bench.now + timedelta(days=3650)
    with pytest.raises(VerificationError) as refused:
        verify(document, bench, now=later, nonce=None)
    assert refused.value.code.startswith("expired:")
    assert verify(document, bench, now=parse_statement(document).time, nonce=None).nonce == bench.nonce


CHANGES = {
    "time": "2026-11-21T12:00:01Z",
    "nonce": "00" * 32,
    "version": "1.2.4",
    "certificates.root": "other",
    "certificates.intermediate": "other",
    "manifest.raw": base64.b64encode(b"{}").decode(),
    "manifest.sha256": "00" * 32,
    "manifest.canonicalSha256": None,
    "securityVersions": {"till": 9},
    "authority": {},
    "authority.access": None,
    "authority.simulation": False,
    "ledger.key": "x",
    "ledger.checkpoint": "x",
    "relaxations": ["lenient-manifest"],
    "simulation": False,
}


@pytest.mark.parametrize("path", CHANGES)
def test_a_changed_member_is_refused_because_the_hardware_signed_all_of_it(
    path: str, bench, other_bench
) -> None:
    document = json.loads(bench.statement())
    members, *names = document, *path.split(".")
    for name in names[:-1]:
        members = members[name]
    value = CHANGES[path]
    if value == "other":
        authority = other_bench.authority
        certificate = authority.root_cert if path.endswith("root") else authority.intermediate_cert
        value = certificate.public_bytes(Encoding.PEM).decode()
    members[names[-1]] = value
    with pytest.raises(AppraisalError) as refused:
        verify(json.dumps(document).encode(), bench, nonce=None)
    assert [item.field for item in refused.value.mismatches] == ["ReportData"]


@pytest.mark.parametrize(
    ("attack", "path", "value", "code"),
    [
        ("fingerprint of another manifest", "manifest.sha256", "00" * 32, "statement"),
        ("canonical hash of another manifest", "manifest.canonicalSha256", "00" * 32, "statement"),
        ("summary hides a right", "authority.access", None, "statement-summary"),
        ("hidden simulation", "simulation", False, "statement-simulation"),
        ("lowered security version", "securityVersions", {"till": 1}, "statement"),
        ("version of a package that is not there", "securityVersions", {"oven": 9}, "statement"),
        ("ledger of another mesh", "ledger.key", "x+00000000+AQ==", "ledger-note"),
        ("from the future", "time", "2026-11-21T13:00:00Z", "statement-future"),
    ],
)
def test_a_lying_coordinator_contradicts_itself(attack: str, path: str, value, code: str, bench) -> None:
    with pytest.raises(SealmeshError) as refused:
        verify(resealed(bench, path, value), bench)
    assert refused.value.code == code


def test_a_chain_of_two_meshes_is_refused(bench, other_bench) -> None:
    pem = other_bench.authority.intermediate_cert.public_bytes(Encoding.PEM).decode()
    with pytest.raises(StatementError) as refused:
        verify(resealed(bench, "certificates.intermediate", pem), bench)
    assert refused.value.code == "statement-chain"


def test_a_checkpoint_that_another_key_signed_is_refused(bench, other_bench) -> None:
    with pytest.raises(NoteError):
        verify(resealed(bench, "ledger.checkpoint", other_bench.draft().body["ledger"]["checkpoint"]), bench)


def test_a_replayed_nonce_is_refused(bench) -> None:
    with pytest.raises(StatementError) as refused:
        verify(bench.statement(), bench, nonce=b"\xff" * 32)
    assert refused.value.code == "statement-replayed"


def test_a_quote_of_the_quote_route_does_not_stand_in_for_a_statement(bench) -> None:
    draft = bench.draft()
    forged = json.loads(bench.complete(draft))
    other = bench.platform.quote(bench.enclave, bytes(64))
    forged["evidence"]["raw"] = base64.b64encode(other).decode()
    with pytest.raises(AppraisalError):
        verify(json.dumps(forged).encode(), bench)


def test_a_foreign_root_is_refused(bench, other_bench) -> None:
    with pytest.raises(VerificationError):
        verify(other_bench.statement(), bench)


def test_simulated_evidence_is_refused_where_the_policy_does_not_name_its_root(bench) -> None:
    with pytest.raises(VerificationError):
        verify(bench.statement(), bench, policy=bench.policy(trust_roots=(INTEL,)))


def test_other_software_is_refused_by_field(bench) -> None:
    other = replace(bench, enclave=replace(bench.enclave, signer_id=b"\x33" * 32, security_version=1))
    with pytest.raises(AppraisalError) as refused:
        verify(other.statement(), bench)
    assert {item.field for item in refused.value.mismatches} == {"SignerID", "SecurityVersion"}


def test_another_manifest_than_the_policys_is_refused(bench) -> None:
    with pytest.raises(StatementError) as refused:
        verify(bench.statement(), bench, policy=bench.policy(manifest_sha256=bytes(32)))
    assert refused.value.code == "statement-manifest"


def test_relaxations_that_the_policy_does_not_accept_are_refused(bench) -> None:
    relaxed = replace(bench, relaxations=("lenient-manifest",))
    assert verify(relaxed.statement(), bench).relaxations == ("lenient-manifest",)
    with pytest.raises(StatementError) as refused:
        verify(relaxed.statement(), bench, policy=bench.policy(relaxations=frozenset()))
    assert refused.value.code == "statement-relaxations"


def test_raised_security_versions_are_told(bench) -> None:
    raised = replace(bench, security_versions={"till": 5})
    assert verify(raised.statement(), bench).security_versions == {"till": 5}


def test_a_nonce_that_is_too_long_is_refused_before_anything_is_made(bench) -> None:
    with pytest.raises(StatementError) as refused:
        replace(bench, nonce=bytes(MAX_NONCE_BYTES + 1)).draft()
    assert refused.value.code == "nonce"


@pytest.mark.parametrize(
    ("oddity", "document"),
    [
        ("nothing", b""),
        ("not JSON", b"{"),
        ("a list", b"[]"),
        ("nested without end", b"[" * 100_000),
        ("other members", b'{"format": "sealmesh-statement-v1"}'),
        ("a key twice", b'{"format": 1, "format": 2}'),
        ("a float", b'{"format": 1.5}'),
        ("NaN", b'{"format": NaN}'),
        ("not UTF-8", b'{"format": "\xff"}'),
        ("an endless number", b'{"a": ' + b"9" * 5000 + b"}"),
    ],
)
def test_what_is_no_statement_is_refused(oddity: str, document: bytes) -> None:
    with pytest.raises(StatementError):
        parse_statement(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", "sealmesh-statement-v2"),
        ("time", "2026-11-21 12:00"),
        ("time", "2026-1-1T1:1:1Z"),
        ("nonce", "AB"),
        ("nonce", "zz"),
        ("nonce", "00" * 65),
        ("certificates.root", "-----BEGIN"),
        ("certificates.root", 1),
        ("manifest.raw", "*"),
        ("securityVersions", {"till": True}),
        ("relaxations", [1]),
        ("simulation", "no"),
        ("ledger", None),
    ],
)
def test_a_member_of_another_form_is_refused(path: str, value, bench) -> None:
    with pytest.raises(StatementError):
        parse_statement(resealed(bench, path, value))


def test_two_certificates_where_one_belongs_are_refused(bench) -> None:
    pem = bench.draft().body["certificates"]["root"]
    with pytest.raises(StatementError):
        parse_statement(resealed(bench, "certificates.root", pem + pem))
