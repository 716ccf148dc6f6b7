"""Inclusion and consistency proofs of RFC 9162, sections 2.1.3 and 2.1.4.

Proofs are made from the leaf hashes of the whole log and verified from a handful of hashes. A check
that fails raises; nothing here returns a boolean.
"""

from collections.abc import Sequence

from sealmesh.errors.ledger import ProofError
from sealmesh.ledger.merkle import node_hash, tree_root


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size`."""
    return int(1 << ((size - 1).bit_length() - 1))


def inclusion_proof(hashed_leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the audit path of leaf `index` in the log of all `hashed_leaves` (RFC 9162, 2.1.3.1).

    Raises:
        ValueError: There is no such leaf.
    """
    if not 0 <= index < len(hashed_leaves):
        raise ValueError(f"no leaf {index} in a log of {len(hashed_leaves)}")
    if len(hashed_leaves) == 1:
        return ()
    k = _split(len(hashed_leaves))
    left, right = hashed_leaves[:k], hashed_leaves[k:]
    if index < k:
        return (*inclusion_proof(left, index), tree_root(right))
    return (*inclusion_proof(right, index - k), tree_root(left))


def verify_inclusion(
    proof: Sequence[bytes], *, hashed_leaf: bytes, index: int, size: int, root: bytes
) -> None:
    """Accept only if `proof` shows that leaf `index` of the log (`size`, `root`) is `hashed_leaf`.

    RFC 9162, section 2.1.3.2.

    Raises:
        ProofError: The index is outside the log, or the path has another length or another root.
    """
    if not 0 <= index < size:
        raise ProofError("leaf index is outside the log", found=index, wanted=f"0 to {size - 1}")
    position, last, node = index, size - 1, hashed_leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("inclusion proof is too long", found=f"{len(proof)} hashes")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofError("inclusion proof is too short", found=f"{len(proof)} hashes")
    if node != root:
        raise ProofError("inclusion proof leads to another root", found=node.hex(), wanted=root.hex())


def consistency_proof(hashed_leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Return the proof that the first `old_size` leaves are a prefix of the log (RFC 9162, 2.1.4.1).

    Raises:
        ValueError: `old_size` is 0 or more than there are.
    """
    if not 0 < old_size <= len(hashed_leaves):
        raise ValueError(f"no prefix of {old_size} in a log of {len(hashed_leaves)}")
    return _subproof(hashed_leaves, old_size, complete=True)


def _subproof(hashed_leaves: Sequence[bytes], old: int, *, complete: bool) -> tuple[bytes, ...]:
    if old == len(hashed_leaves):
        return () if complete else (tree_root(hashed_leaves),)
    k = _split(len(hashed_leaves))
    left, right = hashed_leaves[:k], hashed_leaves[k:]
    if old <= k:
        return (*_subproof(left, old, complete=complete), tree_root(right))
    return (*_subproof(right, old - k, complete=False), tree_root(left))


def verify_consistency(
    proof: Sequence[bytes], *, old_size: int, old_root: bytes, new_size: int, new_root: bytes
) -> None:
    """Accept only if the log (`new_size`, `new_root`) extends the log (`old_size`, `old_root`).

    RFC 9162, section 2.1.4.2.

    Raises:
        ProofError: The sizes run backwards, or the path has another length or other roots.
    """
    if not 0 < old_size <= new_size:
        raise ProofError("the log shrank", found=f"{new_size} leaves", wanted=f"at least {old_size}")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise ProofError("two logs of one size differ", found=new_root.hex(), wanted=old_root.hex())
        return
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not path:
        raise ProofError("consistency proof is empty", wanted="at least one hash")
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_node = new_node = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("consistency proof is too long", found=f"{len(proof)} hashes")
        if position & 1 or position == last:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofError("consistency proof is too short", found=f"{len(proof)} hashes")
    if old_node != old_root:
        raise ProofError(
            "consistency proof leads to another old root", found=old_node.hex(), wanted=old_root.hex()
        )
    if new_node != new_root:
        raise ProofError(
            "consistency proof leads to another new root", found=new_node.hex(), wanted=new_root.hex()
        )
