"""Settings of the Coordinator."""

from dataclasses import dataclass
from enum import StrEnum


class SealMode(StrEnum):
    """How the state's key is sealed (exact case)."""

    DEFAULT = ""
    """As `ProductKey`."""
    PRODUCT_KEY = "ProductKey"
    UNIQUE_KEY = "UniqueKey"
    DISABLED = "Disabled"


class FeatureGate(StrEnum):
    """Switches in `Config.FeatureGates` (read in any case)."""

    SIGN_QUOTE_ENDPOINT = "SignQuoteEndpoint"
    MONOTONIC_COUNTER = "MonotonicCounter"
    AZURE_HSM_SEALING = "AzureHSMSealing"
    ACCESS = "Access"
    SIMULATION = "Simulation"
    NAMES = "Names"
    CERTIFICATE = "Certificate"
    GOVERNANCE = "Governance"
    EVIDENCE = "Evidence"


#: Gates that MarbleRun does not know: it refuses a manifest that names one, instead of ignoring the rule.
OWN_GATES = frozenset(
    {
        FeatureGate.ACCESS,
        FeatureGate.SIMULATION,
        FeatureGate.NAMES,
        FeatureGate.CERTIFICATE,
        FeatureGate.GOVERNANCE,
        FeatureGate.EVIDENCE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The manifest's `Config` (COMPAT section 8).

    Attributes:
        update_threshold: Acknowledgments that a full update needs; 0: all who may.
        recovery_threshold: Shares that a recovery needs; 0: all.
        rotate_root_secret: An update makes a new root secret and new shared keys.
    """

    seal_mode: SealMode = SealMode.DEFAULT
    feature_gates: frozenset[FeatureGate] = frozenset()
    update_threshold: int = 0
    recovery_threshold: int = 0
    rotate_root_secret: bool = False
