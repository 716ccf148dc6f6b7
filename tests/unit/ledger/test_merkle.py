import hashlib

import pytest

from sealmesh.errors.ledger import ProofError
from sealmesh.ledger import (
    EMPTY,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

# The test inputs and roots that the Certificate Transparency project publishes for RFC 6962 trees.
LEAVES = [bytes.fromhex(h) for h in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


def test_roots_are_those_of_certificate_transparencys_published_trees() -> None:
    for size in range(1, 9):
        assert EMPTY.extend(LEAVES[:size]).root().hex() == ROOTS[size - 1]
        assert tree_root(HASHES[:size]).hex() == ROOTS[size - 1]


def test_an_empty_log_has_the_hash_of_nothing() -> None:
    assert EMPTY.root() == hashlib.sha256(b"").digest()


def test_a_frontier_that_does_not_fit_its_size_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="perfect subtrees"):
        Frontier(3, (b"x" * 32,))


def test_every_leaf_of_every_log_proves_its_inclusion() -> None:
    for size in range(1, 9):
        for index in range(size):
            proof = inclusion_proof(HASHES[:size], index)
            verify_inclusion(
                proof, hashed_leaf=HASHES[index], index=index, size=size, root=bytes.fromhex(ROOTS[size - 1])
            )


def test_every_log_proves_that_it_extends_every_shorter_one() -> None:
    for new in range(1, 9):
        for old in range(1, new + 1):
            verify_consistency(
                consistency_proof(HASHES[:new], old),
                old_size=old,
                old_root=bytes.fromhex(ROOTS[old - 1]),
                new_size=new,
                new_root=bytes.fromhex(ROOTS[new - 1]),
            )


@pytest.mark.parametrize(
    ("attack", "change"),
    [
        ("another leaf", lambda a: a | {"hashed_leaf": HASHES[0]}),
        ("another index", lambda a: a | {"index": 4}),
        ("another size", lambda a: a | {"size": 6}),
        ("another root", lambda a: a | {"root": bytes(32)}),
        ("index outside", lambda a: a | {"index": 8}),
        ("path too long", lambda a: a | {"proof": (*a["proof"], bytes(32))}),
        ("path too short", lambda a: a | {"proof": a["proof"][:-1]}),
        ("path altered", lambda a: a | {"proof": (bytes(32), *a["proof"][1:])}),
    ],
)
def test_a_false_inclusion_proof_is_refused(attack: str, change) -> None:
    arguments = {"hashed_leaf": HASHES[5], "index": 5, "size": 8, "root": bytes.fromhex(ROOTS[7])}
    arguments["proof"] = inclusion_proof(HASHES, 5)
    with pytest.raises(ProofError):
        verify_inclusion(**change(arguments))


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    proof = inclusion_proof(HASHES, 5)[1:]
    with pytest.raises(ProofError):
        verify_inclusion(
            proof, hashed_leaf=leaf_hash(HASHES[4] + HASHES[5]), index=2, size=4, root=tree_root(HASHES)
        )


@pytest.mark.parametrize(
    ("attack", "change"),
    [
        ("log shrank", lambda a: a | {"old_size": 8, "new_size": 5}),
        ("other history of one size", lambda a: a | {"old_size": 8, "proof": ()}),
        ("rewritten old part", lambda a: a | {"old_root": bytes(32)}),
        ("rewritten new part", lambda a: a | {"new_root": bytes(32)}),
        ("no proof", lambda a: a | {"proof": ()}),
        ("proof too long", lambda a: a | {"proof": (*a["proof"], bytes(32))}),
        ("proof too short", lambda a: a | {"proof": a["proof"][:-1]}),
        ("from nothing", lambda a: a | {"old_size": 0}),
    ],
)
def test_a_false_consistency_proof_is_refused(attack: str, change) -> None:
    arguments = {
        "proof": consistency_proof(HASHES, 5),
        "old_size": 5,
        "old_root": bytes.fromhex(ROOTS[4]),
        "new_size": 8,
        "new_root": bytes.fromhex(ROOTS[7]),
    }
    verify_consistency(**arguments)
    with pytest.raises(ProofError):
        verify_consistency(**change(arguments))


def test_asking_for_a_proof_outside_the_log_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(HASHES, 8)
    with pytest.raises(ValueError, match="no prefix"):
        consistency_proof(HASHES, 0)
