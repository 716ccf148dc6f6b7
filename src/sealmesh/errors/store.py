"""What can go wrong with the store and the seal directory."""

from sealmesh.errors.base import Kind, SealmeshError


class StoreError(SealmeshError):
    """The store cannot be read or written now; nothing was changed."""

    code = "store-unavailable"
    kind = Kind.UNAVAILABLE
    remedy = "Look at free space, permissions and health of the disk with the seal directory, then try again"


class StoreConflict(SealmeshError):
    """Somebody else changed a record that the decision rests on; nothing was written.

    Attributes:
        key: The record's name.
    """

    code = "store-conflict"
    kind = Kind.CONFLICT
    remedy = "Read the state again and decide anew"

    def __init__(self, key: str, *, found: object = None, wanted: object = None) -> None:
        super().__init__(f"The record {key!r} was changed by somebody else", found=found, wanted=wanted)
        self.key = key


class SealedDataError(SealmeshError):
    """`sealed_data` is not what this Coordinator wrote: damaged, cut off, or partly put back."""

    code = "sealed-data-broken"
    kind = Kind.CONFIGURATION
    remedy = "Restore `sealed_data` with its companions and `sealed_key` from a copy made at one moment"


class SealerError(SealmeshError):
    """The platform gives no key that opens `sealed_key`."""

    code = "sealed-key-foreign"
    kind = Kind.UNAVAILABLE
    remedy = (
        "Start it on the platform and with the software that sealed it, or recover with the owners' shares"
    )


class RecoveryNotPossible(SealmeshError):
    """There is nothing to recover, or the key is not the one of this state."""

    code = "recovery-key-wrong"
    kind = Kind.STATE
