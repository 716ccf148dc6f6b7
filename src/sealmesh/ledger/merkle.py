"""The Merkle tree of RFC 9162, section 2.1: hashes, the frontier that a growing log keeps, the root.

Leaves and inner nodes are hashed with different first bytes, so that no inner node passes for a leaf.
A log of n leaves is described by its *frontier*, the roots of the perfect subtrees that n's binary
digits name; appending and computing the root need nothing else.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

HASH_BYTES = 32


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 || leaf), RFC 9162, section 2.1.1."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), RFC 9162, section 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A log's size and the roots of its perfect subtrees, largest first.

    Attributes:
        size: Number of leaves.
        roots: One hash per set bit of `size`, from the highest bit to the lowest.
    """

    size: int = 0
    roots: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.roots) != self.size.bit_count():
            raise ValueError(f"a log of {self.size} leaves has {self.size.bit_count()} perfect subtrees")

    def append(self, leaf: bytes) -> "Frontier":
        """Return the frontier with one more leaf; costs one hash on average two."""
        return self.append_hash(leaf_hash(leaf))

    def append_hash(self, hashed_leaf: bytes) -> "Frontier":
        """Return the frontier with one more leaf, given by its `leaf_hash`."""
        roots, full, node = list(self.roots), self.size, hashed_leaf
        while full & 1:
            node = node_hash(roots.pop(), node)
            full >>= 1
        return Frontier(self.size + 1, (*roots, node))

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """Return the frontier after all of `leaves`, in order."""
        frontier = self
        for leaf in leaves:
            frontier = frontier.append(leaf)
        return frontier

    def root(self) -> bytes:
        """Return the Merkle Tree Hash; of an empty log, SHA-256 of nothing."""
        if not self.roots:
            return hashlib.sha256(b"").digest()
        node = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            node = node_hash(left, node)
        return node


EMPTY = Frontier()


def tree_root(hashed_leaves: Iterable[bytes]) -> bytes:
    """Return the Merkle Tree Hash over leaves given by their `leaf_hash`."""
    frontier = EMPTY
    for hashed in hashed_leaves:
        frontier = frontier.append_hash(hashed)
    return frontier.root()
