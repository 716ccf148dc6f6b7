"""The Merkle log of every act and the application statement (RFC 9334, Attestation Result)."""

from sealmesh.ledger.checkpoint import Checkpoint, ledger_origin, sign_checkpoint, verify_checkpoint
from sealmesh.ledger.judgement import judge_coordinator
from sealmesh.ledger.merkle import EMPTY, Frontier, leaf_hash, node_hash, tree_root
from sealmesh.ledger.note import NoteKey, derive_signing_key, note_key, parse_note_key, sign_note, verify_note
from sealmesh.ledger.proofs import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from sealmesh.ledger.relying_policy import RelyingPolicy, parse_era_config, parse_policy
from sealmesh.ledger.statement import MAX_NONCE_BYTES, StatementDraft, draft_statement, statement_report_data
from sealmesh.ledger.unverified import UnverifiedStatement, parse_statement
from sealmesh.ledger.verification import VerifiedApplication, verify_statement

__all__ = [
    "EMPTY",
    "MAX_NONCE_BYTES",
    "Checkpoint",
    "Frontier",
    "NoteKey",
    "RelyingPolicy",
    "StatementDraft",
    "UnverifiedStatement",
    "VerifiedApplication",
    "consistency_proof",
    "derive_signing_key",
    "draft_statement",
    "inclusion_proof",
    "judge_coordinator",
    "leaf_hash",
    "ledger_origin",
    "node_hash",
    "note_key",
    "parse_era_config",
    "parse_note_key",
    "parse_policy",
    "parse_statement",
    "sign_checkpoint",
    "sign_note",
    "statement_report_data",
    "tree_root",
    "verify_checkpoint",
    "verify_consistency",
    "verify_inclusion",
    "verify_note",
    "verify_statement",
]
