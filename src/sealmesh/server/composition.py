"""Put a Coordinator together from its configuration."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Lock

from sealmesh.adapters.clock import system_clock, system_entropy
from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.adapters.store import SealedSeat
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.coordinator import Coordinator
from sealmesh.coordinator.engine import Engine
from sealmesh.coordinator.examination import Examiner
from sealmesh.coordinator.own_evidence import OwnEvidence
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.pki import MARBLERUN_NAMES, SEALMESH_NAMES, Authority, issue_authority
from sealmesh.server.configuration import ServerConfiguration
from sealmesh.server.evidence import EvidenceParts
from sealmesh.server.logged import LoggedCoordinator
from sealmesh.server.sealing import build_mooring, build_sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A Coordinator and what has to be closed with it; sealer and anchor in words for the log."""

    coordinator: Coordinator
    seat: SealedSeat
    sealer: str
    seal_modes: tuple[str, ...]
    anchor: str

    def close(self) -> None:
        """Release files and threads."""
        self.seat.close()


def build_settings(configuration: ServerConfiguration, evidence: EvidenceParts) -> Settings:
    """Return what the commands have to know of the configuration."""
    dns_names, ip_addresses = _names(configuration.dns_names)
    return Settings(
        relaxations=configuration.relaxations,
        roots=evidence.roots,
        simulated_self=evidence.attester is None or evidence.attester.simulated,
        dns_names=dns_names,
        ip_addresses=ip_addresses,
        reset_state=configuration.reset_state,
        seal_modes=build_sealer(configuration, evidence).modes,
        result_lifetime=configuration.result_lifetime,
        workers=configuration.workers,
    )


def fresh_authority(settings: Settings) -> Authority:
    """Return a new authority, for as long as there is no state to read one from."""
    marblerun = settings.relaxed(Relaxation.MARBLERUN_NAMES)
    return issue_authority(
        OsKeyFactory(),
        names=MARBLERUN_NAMES if marblerun else SEALMESH_NAMES,
        dns_names=settings.dns_names,
        ip_addresses=settings.ip_addresses,
        now=system_clock(),
        lifetime=settings.ca_lifetime,
        entropy=system_entropy,
        simulation=settings.simulation,
    )


def compose(
    configuration: ServerConfiguration, evidence: EvidenceParts, settings: Settings, fresh: Authority
) -> Parts:
    """Return a Coordinator on the seal directory; called once in each process that serves.

    Raises:
        SealedDataError: The sealed state is damaged.
    """
    sealer, mooring = build_sealer(configuration, evidence), build_mooring(configuration)
    seat = SealedSeat(configuration.seal_dir, sealer=sealer, mooring=mooring, entropy=system_entropy)
    engine = Engine(
        seat=seat,
        fresh=fresh,
        settings=settings,
        clock=system_clock,
        entropy=system_entropy,
        keys=OsKeyFactory(),
    )
    coordinator = LoggedCoordinator(
        engine=engine,
        examiner=Examiner(endorser=evidence.endorser, roots=settings.roots),
        own=OwnEvidence(attester=evidence.attester, clock=system_clock),
        exclusive=Lock(),
    )
    return Parts(
        coordinator=coordinator,
        seat=seat,
        sealer=sealer.describe(),
        seal_modes=sealer.modes,
        anchor=mooring.describe(),
    )


def _names(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[IPv4Address | IPv6Address, ...]]:
    dns: list[str] = []
    addresses: list[IPv4Address | IPv6Address] = []
    for name in names:
        try:
            addresses.append(ip_address(name))
        except ValueError:
            dns.append(name)
    return tuple(dns), tuple(addresses)
