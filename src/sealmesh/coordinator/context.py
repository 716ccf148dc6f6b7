"""What a decision may use besides the state: the operator's settings, the time, entropy and keys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from sealmesh.attestation import TrustRoot
from sealmesh.attestation.results import RESULT_LIFETIME
from sealmesh.coordinator.ports import Entropy, KeyFactory
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.manifest import SealMode
from sealmesh.pki import new_serial

#: The CA lives long, because a Marble pins it, but not for ever (MarbleRun: 292 years).
DEFAULT_CA_LIFETIME = timedelta(days=3652)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator configured; fixed for the life of the process.

    Attributes:
        roots: The trust roots under which Evidence is accepted at all.
        simulated_self: The Coordinator's own Evidence is simulated, or it has none.
        dns_names: Names that the CA certificates carry, and so the servers.
        reset_state: The operator's word that a manifest may replace a state that waits for recovery.
        seal_modes: What the sealer can keep, apart from `Disabled`.
        azure_hsm: The variables that the gate `AzureHSMSealing` needs are there.
        result_lifetime: The longest that an Attestation Result is good.
    """

    relaxations: frozenset[Relaxation] = frozenset()
    roots: tuple[TrustRoot, ...] = ()
    simulated_self: bool = False
    dns_names: tuple[str, ...] = ("localhost",)
    ip_addresses: tuple[IPv4Address | IPv6Address, ...] = ()
    ca_lifetime: timedelta = DEFAULT_CA_LIFETIME
    reset_state: bool = False
    seal_modes: tuple[str, ...] = (SealMode.PRODUCT_KEY, SealMode.UNIQUE_KEY)
    azure_hsm: bool = False
    result_lifetime: timedelta = RESULT_LIFETIME
    workers: int = 1

    def relaxed(self, relaxation: Relaxation) -> bool:
        """Tell whether `relaxation` is in force."""
        return relaxation in self.relaxations

    @property
    def relaxation_names(self) -> tuple[str, ...]:
        """The relaxations in force, sorted by name."""
        return tuple(sorted(item.value for item in self.relaxations))

    @property
    def simulation(self) -> bool:
        """Whether this Coordinator itself is not attested by hardware."""
        return self.simulated_self or self.relaxed(Relaxation.INSECURE_EMPTY_QUOTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The arguments of one decision that are not in its command.

    Attributes:
        now: Aware, UTC; the same for every attempt at the same command.
        keys: Gives the same keys again when a decision is taken again after a conflict.
    """

    now: datetime
    entropy: Entropy
    keys: KeyFactory
    settings: Settings

    def serial(self) -> int:
        """Return a fresh certificate serial number."""
        return new_serial(self.entropy)
