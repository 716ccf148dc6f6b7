"""Sealing, pure: envelopes, key hierarchy, recovery shares.

No key in here is ever stored or drawn: keys and random bytes are arguments.
"""

from sealmesh.sealing.keys import derive_key, key_id, unwrap_key, wrap_key
from sealmesh.sealing.owners import unwrap_share, verify_share_signature, wrap_share
from sealmesh.sealing.record import KEY_BYTES, NONCE_BYTES, OVERHEAD_BYTES, seal_record, unseal_record
from sealmesh.sealing.recovery import (
    NO_RECOVERY,
    RecoveryInfo,
    RecoveryProgress,
    RecoveryShares,
    combine_shares,
    share_digest,
    split_recovery_key,
)

__all__ = [
    "KEY_BYTES",
    "NONCE_BYTES",
    "NO_RECOVERY",
    "OVERHEAD_BYTES",
    "RecoveryInfo",
    "RecoveryProgress",
    "RecoveryShares",
    "combine_shares",
    "derive_key",
    "key_id",
    "seal_record",
    "share_digest",
    "split_recovery_key",
    "unseal_record",
    "unwrap_key",
    "unwrap_share",
    "verify_share_signature",
    "wrap_key",
    "wrap_share",
]
