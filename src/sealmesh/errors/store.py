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


class SealModeRefused(SealmeshError):
    """The manifest's SealMode means what the Coordinator's sealer cannot keep; nothing was written."""

    code = "seal-mode-not-available"
    remedy = "Choose another SealMode in the manifest, or another --sealer for the Coordinator"


class TpmError(SealmeshError):
    """The TPM refuses, or cannot be reached."""

    code = "tpm"
    kind = Kind.UNAVAILABLE
    remedy = "Look at the TPM (permissions of /dev/tpmrm0, tpm2_getcap) and at what the Coordinator is told"


class TokenError(SealmeshError):
    """The PKCS #11 token refuses, or cannot be reached."""

    code = "token"
    kind = Kind.UNAVAILABLE
    remedy = "Look at the token's label, the secret's label and the PIN (pkcs11-tool --list-objects --login)"


class AnchorError(SealmeshError):
    """The anchor cannot be read or moved now."""

    code = "anchor"
    kind = Kind.UNAVAILABLE
    remedy = "Look at what --anchor names: the mounted share, or the TPM; nobody else may use it"


class StateRolledBack(SealmeshError):
    """The state's files are not those that were written last: an older copy was put back."""

    code = "state-rolled-back"
    kind = Kind.UNAVAILABLE
    remedy = "Put the newest files back, or let the owners recover this copy with their shares"
