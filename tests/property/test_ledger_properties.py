"""Any bytes in: our error or a value; proofs hold for the log they are of and for no other."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from sealmesh.errors.ledger import LedgerError, ProofError
from sealmesh.ledger import (
    EMPTY,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    note_key,
    parse_era_config,
    parse_note_key,
    parse_policy,
    parse_statement,
    sign_checkpoint,
    tree_root,
    verify_checkpoint,
    verify_consistency,
    verify_inclusion,
)
from sealmesh.ledger.canonical import canonical_json, parse_json

KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOGS = st.lists(st.binary(max_size=4), min_size=1, max_size=70)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
SHAPES = st.dictionaries(
    st.sampled_from(["format", "Coordinator", "TrustRoots", "Manifest", "SignerID", "evidence", "ledger"]),
    DOCUMENTS,
)


@given(LOGS, st.data())
def test_every_leaf_proves_its_place_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    hashed = [leaf_hash(leaf) for leaf in leaves]
    size, root = len(leaves), tree_root(hashed)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(hashed, index)
    verify_inclusion(proof, hashed_leaf=hashed[index], index=index, size=size, root=root)
    other = data.draw(st.integers(0, size - 1))
    if hashed[other] != hashed[index]:
        with pytest.raises(ProofError):
            verify_inclusion(proof, hashed_leaf=hashed[other], index=index, size=size, root=root)


@given(LOGS, LOGS)
def test_a_grown_log_proves_its_past_and_no_other(old: list[bytes], more: list[bytes]) -> None:
    before, after = EMPTY.extend(old), EMPTY.extend([*old, *more])
    proof = consistency_proof([leaf_hash(leaf) for leaf in (*old, *more)], len(old))
    arguments = {"old_size": len(old), "new_size": len(old) + len(more), "new_root": after.root()}
    verify_consistency(proof, old_root=before.root(), **arguments)
    rewritten = EMPTY.extend([*old[:-1], old[-1] + b"!"])
    with pytest.raises(ProofError):
        verify_consistency(proof, old_root=rewritten.root(), **arguments)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=9), st.integers(-2, 70), st.integers(-2, 70))
def test_any_proof_is_refused_or_of_the_right_root(proof: list[bytes], index: int, size: int) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(proof, hashed_leaf=leaf_hash(b""), index=index, size=size, root=bytes(32))
    with pytest.raises(ProofError):
        verify_consistency(proof, old_size=index, old_root=bytes(32), new_size=size, new_root=b"x" * 32)


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode) | SHAPES.map(canonical_json))
def test_any_bytes_are_our_error_to_every_parser(raw: bytes) -> None:
    for parse in (parse_statement, parse_policy, parse_era_config):
        with pytest.raises(LedgerError):
            parse(raw)


@given(st.text(max_size=200))
def test_any_text_is_our_error_to_note_and_key(text: str) -> None:
    with pytest.raises(LedgerError):
        verify_checkpoint(text, note_key("log", KEY))
    with pytest.raises(LedgerError):
        parse_note_key(text)


@given(st.integers(0, 2**30), st.integers(0, 7))
def test_a_flipped_bit_in_a_checkpoint_never_verifies_as_another(position: int, bit: int) -> None:
    note = sign_checkpoint("mesh-1", EMPTY.extend([b"a", b"b"]), KEY)
    raw = bytearray(note.encode())
    raw[position % len(raw)] ^= 1 << bit
    with pytest.raises(LedgerError):
        verify_checkpoint(raw.decode(errors="replace"), note_key("mesh-1/ledger", KEY))


@given(DOCUMENTS)
def test_canonical_json_reads_back_as_what_was_written(value: object) -> None:
    raw = canonical_json(value)
    assert parse_json(raw, what="document") == value
    assert canonical_json(parse_json(raw, what="document")) == raw
