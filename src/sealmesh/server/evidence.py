"""Build Attester, Endorser and trust roots from what the operator named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from sealmesh.adapters.attester.choice import SimulatedChoice, SimulatedPlatform
from sealmesh.adapters.attester.platform import PlatformDirectory, open_or_create
from sealmesh.adapters.endorser import SeveralEndorsers, SimulatedEndorser
from sealmesh.adapters.endorser.choice import open_bundle, open_endorsers
from sealmesh.adapters.sealer import PlatformKeys, SealingKeys
from sealmesh.attestation import INTEL, TrustRoot, UnverifiedEvidence
from sealmesh.coordinator.ports import Attester, Endorser
from sealmesh.errors.attestation import EndorserError
from sealmesh.server.configuration import ServerConfiguration
from sealmesh.server.own_tee import OwnTee, real_tee, simulated_tee

_DEFAULT_CACHE = Path(".cache") / "sealmesh" / "endorsements"
_NO_PROTECTION = b"sealmesh: sealed without a TEE, no protection: "


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceParts:
    """What a Coordinator needs to make and to judge Evidence.

    Attributes:
        attester: None where the operator allowed a Coordinator without.
        keys: Of the TEE that the attester speaks of, for `--sealer platform`.
    """

    attester: Attester | None
    endorser: Endorser
    roots: tuple[TrustRoot, ...]
    keys: SealingKeys = field(default_factory=lambda: unprotected_keys())


def unprotected_keys() -> SealingKeys:
    """Return the keys of a Coordinator without a platform."""
    return PlatformKeys(unprotected_seal_key, about="a key that everybody knows: there is no TEE")


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
    platforms = {choice: open_or_create(choice.path) for choice in _named(configuration)}
    trusted = [platforms[choice] for choice in configuration.simulated_platforms]
    endorsers: list[Endorser] = [SimulatedEndorser(platform) for platform in trusted]
    for path in configuration.collateral:
        endorsers += open_bundle(path)
    for choice in configuration.endorsers:
        cache = endorser_cache(configuration.endorser_cache)
        endorsers += open_endorsers(choice, cache, limit=configuration.endorser_limit)
    endorser = SeveralEndorsers(endorsers) if endorsers else NoCollateral()
    own = _own_tee(configuration, platforms, endorser)
    return EvidenceParts(
        attester=None if own is None else own.attester,
        endorser=endorser,
        roots=(
            *_fixed_roots(configuration),
            *(root for platform in trusted for root in platform.trust_roots),
        ),
        keys=unprotected_keys() if own is None else own.keys,
    )


def endorser_cache(configured: Path | None) -> Path:
    """Return where answers of endorsement servers are kept."""
    return configured or Path.home() / _DEFAULT_CACHE


def _named(configuration: ServerConfiguration) -> tuple[SimulatedPlatform, ...]:
    choice = configuration.attester
    own = (choice.platform,) if isinstance(choice, SimulatedChoice) else ()
    return tuple(dict.fromkeys((*own, *configuration.simulated_platforms)))


def _fixed_roots(configuration: ServerConfiguration) -> tuple[TrustRoot, ...]:
    if configuration.roots is None:
        return (INTEL,)
    return tuple(root for root in configuration.roots if isinstance(root, TrustRoot))


def _own_tee(
    configuration: ServerConfiguration,
    platforms: Mapping[SimulatedPlatform, PlatformDirectory],
    endorser: Endorser,
) -> OwnTee | None:
    match configuration.attester:
        case None:
            return None
        case SimulatedChoice(platform=platform) as choice:
            return simulated_tee(choice, platforms[platform])
        case choice:
            return real_tee(choice, endorser)
