"""Approvals from anybody: own error or a value, never a crash; a changed one never counts."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from sealmesh.coordinator.approvals import (
    ManifestEpoch,
    Mesh,
    encode_approval,
    parse_approval,
    reading_subject,
    signed_message,
    writing_subject,
)
from sealmesh.coordinator.approvals.guard import Guard
from sealmesh.coordinator.approvals.making import Consent, make_approval
from sealmesh.coordinator.approvals.verification import Setting, verify_approval
from sealmesh.errors import SealmeshError
from sealmesh.manifest import ApprovalRule, Approver, Governance, GovernedAct

NOW = datetime(2026, 3, 4, tzinfo=UTC)
PRIVATE = ec.generate_private_key(ec.SECP256R1())


class Key:
    public = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        return PRIVATE.sign(message, ec.ECDSA(hashes.SHA256()))


MESH = Mesh(trust_domain="mesh-0", root="0" * 64)
EPOCH = ManifestEpoch(fingerprint="1" * 64, number=1)
RULE = ApprovalRule(threshold=1, approvers=("alice",))
SETTING = Setting(
    mesh=MESH,
    manifest=EPOCH,
    governance=Governance(
        approvers={"alice": Approver(keys=(Key.public,))}, rules={GovernedAct.UPDATE_MANIFEST: RULE}
    ),
    now=NOW,
)
GOOD = make_approval(
    Consent(
        mesh=MESH,
        manifest=EPOCH,
        act=GovernedAct.UPDATE_MANIFEST,
        subject="2" * 64,
        approver="alice",
        reason="tested",
        not_after=NOW + timedelta(days=1),
    ),
    Key(),
    entropy=lambda count: b"e" * count,
)


@given(st.binary(max_size=400))
def test_any_bytes_are_an_approval_or_our_error(raw):
    try:
        parse_approval(raw)
    except SealmeshError:
        pass


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@given(
    st.sampled_from(["approval", "signature", "mesh", "manifest", "act", "id", "epoch", "notAfter", "value"]),
    documents,
)
def test_any_value_in_any_member_is_an_approval_or_our_error(name, value):
    document = json.loads(GOOD)
    for part in (document, document["approval"], document["approval"]["mesh"], document["signature"]):
        if name in part:
            part[name] = value
    for read in (parse_approval, Guard.from_bytes):
        try:
            read(json.dumps(document).encode())
        except SealmeshError:
            pass


@given(st.integers(min_value=0, max_value=len(GOOD) * 8 - 1))
def test_no_bit_can_be_changed_but_the_same_is_said(bit):
    changed = bytearray(GOOD)
    changed[bit // 8] ^= 1 << (bit % 8)
    try:
        approval = verify_approval(parse_approval(bytes(changed)), SETTING)
    except SealmeshError:
        return
    assert approval == parse_approval(GOOD).approval  # blanks, and the signature's base64 tail


@given(st.binary(min_size=1, max_size=80))
def test_no_other_signature_verifies(signature):
    document = json.loads(GOOD)
    document["signature"]["value"] = signature.hex()
    with pytest.raises(SealmeshError):
        verify_approval(parse_approval(json.dumps(document).encode()), SETTING)


def test_what_is_written_is_read():
    signed = parse_approval(GOOD)
    assert parse_approval(encode_approval(signed)) == signed
    assert verify_approval(signed, SETTING).subject == "2" * 64
    assert signed_message(signed.approval).startswith(b"sealmesh approval v1\n{")


names = st.lists(st.text(max_size=8), max_size=4)


@given(st.text(max_size=8), names, st.text(max_size=8), names)
def test_readings_have_the_same_subject_only_if_they_are_the_same(user, some, other, more):
    same = user == other and set(some) == set(more)
    try:
        assert (reading_subject(user, some) == reading_subject(other, more)) == same
    except SealmeshError:
        pass  # half of a surrogate pair


@dataclass(frozen=True)
class Upload:
    certificate: bytes | None = None
    private: bytes | None = None
    key: bytes | None = None


def test_what_is_written_to_a_secret_has_a_subject_of_its_own():
    uploads = [
        {"a": Upload(key=b"1")},
        {"a": Upload(key=b"2")},
        {"b": Upload(key=b"1")},
        {"a": Upload(private=b"1")},
        {"a": Upload(certificate=b"1")},
        {"a": Upload(key=b"1"), "b": Upload()},
    ]
    subjects = {writing_subject(one, root=MESH.root) for one in uploads}
    assert len(subjects) == len(uploads)
    assert writing_subject({"a": Upload(key=b"")}, root=MESH.root) == writing_subject(
        {"a": Upload()}, root=MESH.root
    )
    assert writing_subject(uploads[0], root="1" * 64) not in subjects
    assert sha256(b'{"a":"1"}').hexdigest() not in subjects
