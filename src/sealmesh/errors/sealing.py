"""What can be wrong with sealed bytes, keys and recovery shares."""

from sealmesh.errors.base import Kind, SealmeshError


class SealingError(SealmeshError):
    """Sealed bytes that do not open: another key, another place or version, or changed by somebody."""

    code = "unsealing-failed"
    kind = Kind.UNAVAILABLE
    remedy = "Restore `sealed_data` with its companions and `sealed_key` from a copy made at one moment"


class ShareError(SealmeshError):
    """A recovery share that is unknown, repeated, of a wrong length or not signed by an owner."""

    code = "recovery-share-refused"
    remedy = "Decrypt your recovery secret with your own key and send it with its signature"


class RecoverySchemeError(SealmeshError):
    """A number of owners and a threshold with which no key can be shared."""

    code = "recovery-scheme"
