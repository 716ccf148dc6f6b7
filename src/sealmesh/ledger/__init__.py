"""The Merkle log of every act and the application statement (RFC 9334, Attestation Result)."""

from sealmesh.ledger.merkle import EMPTY, Frontier, leaf_hash, node_hash, tree_root
from sealmesh.ledger.proofs import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion

__all__ = [
    "EMPTY",
    "Frontier",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "tree_root",
    "verify_consistency",
    "verify_inclusion",
]
