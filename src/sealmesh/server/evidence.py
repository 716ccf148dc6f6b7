"""Build Attester, Endorser and trust roots from what the operator named."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sealmesh.adapters.attester import Attester, SimulatedAttester
from sealmesh.adapters.attester.package import coordinator_package
from sealmesh.adapters.attester.platform import PlatformDirectory, open_or_create
from sealmesh.adapters.endorser import SeveralEndorsers, SimulatedEndorser
from sealmesh.adapters.endorser.choice import open_bundle, open_endorsers
from sealmesh.attestation import INTEL, TrustRoot, UnverifiedEvidence
from sealmesh.coordinator.ports import Endorser
from sealmesh.errors.attestation import EndorserError
from sealmesh.server.configuration import ServerConfiguration
from sealmesh.server.evidence_choice import SimulatedPlatform

#: In the user's home, so that programs that are started in different directories share one machine.
_DEFAULT_PLATFORM = Path(".local") / "share" / "sealmesh" / "simulated-platform"
_DEFAULT_CACHE = Path(".cache") / "sealmesh" / "endorsements"
_NO_PROTECTION = b"sealmesh: sealed without a TEE, no protection: "


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceParts:
    """What a Coordinator needs to make and to judge Evidence.

    Attributes:
        attester: None where the operator allowed a Coordinator without.
    """

    attester: Attester | None
    endorser: Endorser
    roots: tuple[TrustRoot, ...]


def unprotected_seal_key(mode: str, *, security_version: int = 0) -> bytes:
    """Return a seal key that everybody knows, for a Coordinator without a platform.

    It keeps the form of the state (a deleted key leads to recovery) and protects nothing. It comes only with
    `insecure-empty-quotes`, where the Coordinator proves nothing anyhow.
    """
    del security_version
    return sha256(_NO_PROTECTION + mode.encode()).digest()


class NoCollateral:
    """Knows no platform at all."""

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        """Refuse.

        Raises:
            EndorserError: Always; it says how to give the Coordinator collateral.
        """
        raise EndorserError(
            "this Coordinator was given no collateral for any platform",
            found=evidence.family.value,
            remedy="Name files with collateral in SEALMESH_COLLATERAL (--collateral), or servers in "
            "SEALMESH_ENDORSER (--endorser).",
        )


def build_evidence(configuration: ServerConfiguration) -> EvidenceParts:
    """Open the platforms and read the collateral that `configuration` names.

    Raises:
        AttestationError: A platform directory or a collateral file cannot be used.
    """
    platforms = {choice: _open(choice) for choice in _named(configuration)}
    trusted = [platforms[choice] for choice in configuration.simulated_platforms]
    endorsers: list[Endorser] = [SimulatedEndorser(platform) for platform in trusted]
    for path in configuration.collateral:
        endorsers += open_bundle(path)
    for choice in configuration.endorsers:
        cache = endorser_cache(configuration.endorser_cache)
        endorsers += open_endorsers(choice, cache, limit=configuration.endorser_limit)
    return EvidenceParts(
        attester=None if configuration.attester is None else _attester(platforms[configuration.attester]),
        endorser=SeveralEndorsers(endorsers) if endorsers else NoCollateral(),
        roots=(
            *_fixed_roots(configuration),
            *(root for platform in trusted for root in platform.trust_roots),
        ),
    )


def endorser_cache(configured: Path | None) -> Path:
    """Return where answers of endorsement servers are kept."""
    return configured or Path.home() / _DEFAULT_CACHE


def platform_directory(choice: SimulatedPlatform) -> Path:
    """Return where a simulated platform lives."""
    return choice.directory or Path.home() / _DEFAULT_PLATFORM


def _named(configuration: ServerConfiguration) -> tuple[SimulatedPlatform, ...]:
    own = () if configuration.attester is None else (configuration.attester,)
    return tuple(dict.fromkeys((*own, *configuration.simulated_platforms)))


def _fixed_roots(configuration: ServerConfiguration) -> tuple[TrustRoot, ...]:
    if configuration.roots is None:
        return (INTEL,)
    return tuple(root for root in configuration.roots if isinstance(root, TrustRoot))


def _open(choice: SimulatedPlatform) -> PlatformDirectory:
    return open_or_create(platform_directory(choice))


def _attester(platform: PlatformDirectory) -> Attester:
    return SimulatedAttester(platform.path, coordinator_package(platform))
