"""Refusals by the Coordinator's rules.

`legacy_grpc_status` is the name of the gRPC status that MarbleRun's `Activate` answers where it is not
the one of the error's kind (COMPAT section 5).
"""

from collections.abc import Sequence
from typing import ClassVar

from sealmesh.errors.base import Kind, SealmeshError


class CoordinatorError(SealmeshError):
    """Root of this area."""

    code = "coordinator"
    legacy_grpc_status: ClassVar[str | None] = None


class PhaseError(CoordinatorError):
    """The Coordinator is not in a phase in which this is possible."""

    code = "wrong-phase"
    kind = Kind.STATE
    remedy = "See the Coordinator's phase with `sealmesh status`."


class ResetRefused(CoordinatorError):
    """A new manifest would replace a state that could still be recovered."""

    code = "reset-refused"
    kind = Kind.STATE
    remedy = (
        "Recover with the recovery secrets. To give the old state up for good, start the Coordinator with "
        "--reset-state, or for MarbleRun's behaviour with the relaxation insecure-recovery-reset."
    )


class ManifestRefused(CoordinatorError):
    """The manifest is well-formed but this Coordinator cannot serve it."""

    code = "manifest-refused"
    remedy = "Change the manifest, or how the Coordinator was started."


class UnknownMarbleType(CoordinatorError):
    """The manifest has no such Marble."""

    code = "unknown-marble-type"
    kind = Kind.DENIED
    remedy = "Set EDG_MARBLE_TYPE (or SEALMESH_MARBLE_TYPE) to a name under `Marbles`, in the same case."


class EvidenceRefused(CoordinatorError):
    """The Marble's Evidence did not verify, or its claims are not what the manifest allows.

    Attributes:
        mismatches: One (field, found, wanted) for each refused claim; empty if the Evidence itself failed.
    """

    code = "evidence-refused"
    kind = Kind.DENIED
    remedy = (
        "Compare what `sealmesh uniqueid` and `sealmesh signerid` print for the package with "
        "`Packages` in the manifest."
    )

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        found: object = None,
        wanted: object = None,
        remedy: str | None = None,
        mismatches: Sequence[object] = (),
    ) -> None:
        super().__init__(message, code=code, found=found, wanted=wanted, remedy=remedy)
        self.mismatches = tuple(mismatches)


class ActivationLimitReached(CoordinatorError):
    """`MaxActivations` of the Marble type is used up."""

    code = "activation-limit"
    kind = Kind.DENIED
    remedy = "Raise MaxActivations by a manifest update. Activations are counted over restarts and recovery."


class MarbleUnauthenticated(CoordinatorError):
    """The connection shows no certificate, or not one of this mesh."""

    code = "marble-unauthenticated"
    kind = Kind.UNAUTHENTICATED
    remedy = (
        "Show the certificate of the last activation; after an update of manifest or packages activate again."
    )


class BadUuid(CoordinatorError):
    """The Marble's UUID does not parse."""

    code = "bad-uuid"
    remedy = (
        "Send a UUID such as 6f9619ff-8b86-4d01-b42d-00cf4fc964ff; EDG_MARBLE_UUID_FILE names the "
        "file it is in."
    )


class BadCertificateRequest(CoordinatorError):
    """The CSR does not parse, its signature does not hold, or it asks for what it may not have."""

    code = "bad-csr"
    legacy_grpc_status = "INTERNAL"
    remedy = "Send a PKCS #10 request in DER, signed by the key that it names."


class NameRefused(BadCertificateRequest):
    """The CSR asks for a name that belongs to another Marble type."""

    code = "name-of-another-marble"
    remedy = (
        "Ask for other names (EDG_MARBLE_DNS_NAMES), list this Marble's names under Marbles.*.Names, or for "
        "MarbleRun's behaviour start the Coordinator with the relaxation insecure-host-names."
    )


class ParametersRefused(CoordinatorError):
    """Secrets, TTLS configuration or templates of this Marble could not be made."""

    code = "parameters"
    kind = Kind.STATE
    legacy_grpc_status = "INTERNAL"
    remedy = (
        "Upload the secret that is named, or correct the template by a manifest update; then activate again."
    )


class UserUnauthenticated(CoordinatorError):
    """No certificate of the presented chain is one of the manifest's users."""

    code = "user-unauthenticated"
    kind = Kind.UNAUTHENTICATED
    remedy = "Connect with the certificate that stands under `Users` in the manifest in force."


class PermissionRefused(CoordinatorError):
    """The user is known, but none of its roles allows this."""

    code = "permission-refused"
    kind = Kind.DENIED
    remedy = "Let a user with that role do it, or give this one the role by a manifest update."


class GateClosed(CoordinatorError):
    """The manifest does not switch this feature on."""

    code = "gate-closed"
    kind = Kind.DENIED
    remedy = "Add the feature gate to Config.FeatureGates by a manifest update."


class NothingPending(CoordinatorError):
    """There is no update to read, acknowledge or cancel."""

    code = "nothing-pending"
    kind = Kind.NOT_FOUND
    remedy = "Look into the update log: it was applied or cancelled, or never proposed."


class UnknownSecret(CoordinatorError):
    """The manifest in force defines no such secret."""

    code = "unknown-secret"
    kind = Kind.NOT_FOUND
    remedy = "Take a name that stands under `Secrets` in the manifest in force."


class ConcurrentChange(CoordinatorError):
    """Somebody else committed in between."""

    code = "concurrent-change"
    kind = Kind.CONFLICT
    remedy = "Read the state again and decide anew."


class UpdateRefused(CoordinatorError):
    """The update breaks one of the rules of updates."""

    code = "update-refused"
    remedy = "Correct the update and send it again."


class DrillRefused(CoordinatorError):
    """There is nothing that a drill could prove."""

    code = "drill-refused"
    kind = Kind.STATE
    remedy = "Set a manifest with RecoveryKeys and a SealMode other than Disabled."


class RecoveryRefused(CoordinatorError):
    """The recovery secret or its signature is not accepted."""

    code = "recovery-refused"
    remedy = (
        "Give every owner's share as it came with the manifest, signed with the key that it was encrypted to."
    )


class QuoteNotVerified(CoordinatorError):
    """The quote sent to sign-quote does not verify."""

    code = "quote-not-verified"
    remedy = "Send a raw SGX quote of a platform whose collateral the Coordinator was given."


class StateCorrupt(CoordinatorError):
    """A record of the store cannot be read although its seal held."""

    code = "state-corrupt"
    kind = Kind.UNAVAILABLE
    remedy = "The state was written by another version, or damaged. Restore both sealed files from a copy."
