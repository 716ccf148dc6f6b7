"""What can be wrong with a ledger proof, a signed note, a statement or a relying party's policy."""

from sealmesh.errors.base import Kind, SealmeshError


class LedgerError(SealmeshError):
    """The root of this area."""

    code = "ledger"
    kind = Kind.INVALID


class ProofError(LedgerError):
    """A Merkle proof does not lead to the root it should lead to."""

    code = "ledger-proof"
    remedy = "Ask for a new proof; if it fails again, the log shows different people different histories."


class NoteError(LedgerError):
    """A signed note or checkpoint is malformed, or no signature by the wanted key holds."""

    code = "ledger-note"
    remedy = "Fetch the checkpoint again from the Coordinator; an altered one cannot be repaired."


class StatementError(LedgerError):
    """A statement is malformed, contradicts itself or does not meet the policy."""

    code = "statement"
    remedy = "Fetch a new statement with `sealmesh verify ADDRESS`; do not trust this one."


class RelyingPolicyError(LedgerError):
    """The relying party's policy is malformed or would accept anything."""

    code = "policy"
    kind = Kind.CONFIGURATION
    remedy = "See docs/tasks/verify.md for what a policy file holds."
