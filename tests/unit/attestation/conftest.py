"""A simulated vendor with a platform, and the means to forge what they make."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.attestation import TrustRoot, VerifiedEvidence, parse_collateral, parse_evidence, verify
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    SimulatedPlatform,
    SimulatedVendor,
    create_platform,
    create_vendor,
    issue_collateral,
)

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
REPORT_DATA = bytes(range(64))


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything one verification takes; `but` forges a part."""

    vendor: SimulatedVendor
    platform: SimulatedPlatform
    quote: bytes
    collateral: dict[str, str]
    roots: tuple[TrustRoot, ...]
    enclave: SimulatedEnclave
    report_data: bytes = REPORT_DATA
    now: datetime = NOW

    def but(self, **changes: object) -> "Scene":
        return replace(self, **changes)  # type: ignore[arg-type]

    def endorsed(self, vendor: SimulatedVendor | None = None, **plan: object) -> "Scene":
        """Return the scene with collateral issued after another plan."""
        return self.but(collateral=collateral_of(vendor or self.vendor, **plan))

    def with_collateral(self, **parts: str) -> "Scene":
        return self.but(collateral={**self.collateral, **parts})

    def verify(self, **arguments: object) -> VerifiedEvidence:
        return verify(
            parse_evidence(self.quote),
            parse_collateral(json.dumps(self.collateral).encode()),
            roots=self.roots,
            now=self.now,
            **arguments,  # type: ignore[arg-type]
        )


def collateral_of(vendor: SimulatedVendor, **plan: object) -> dict[str, str]:
    return json.loads(issue_collateral(vendor, EndorsementPlan(**{"issued": NOW, **plan})))  # type: ignore[arg-type]


ENCLAVE = SimulatedEnclave(
    unique_id=bytes(range(32)), signer_id=bytes(range(32, 64)), product_id=7, security_version=3
)


@pytest.fixture(scope="session")
def entropy() -> Callable[[int], bytes]:
    return Random(20310301).randbytes


@pytest.fixture(scope="session")
def vendor(entropy: Callable[[int], bytes]) -> SimulatedVendor:
    return create_vendor(now=NOW, entropy=entropy)


@pytest.fixture(scope="session")
def other_vendor(entropy: Callable[[int], bytes]) -> SimulatedVendor:
    return create_vendor(now=NOW, entropy=entropy)


@pytest.fixture(scope="session")
def platform(vendor: SimulatedVendor, entropy: Callable[[int], bytes]) -> SimulatedPlatform:
    return create_platform(vendor, now=NOW, entropy=entropy)


@pytest.fixture(scope="session")
def scene(vendor: SimulatedVendor, platform: SimulatedPlatform) -> Scene:
    return Scene(
        vendor=vendor,
        platform=platform,
        quote=platform.quote(ENCLAVE, REPORT_DATA),
        collateral=collateral_of(vendor),
        roots=(vendor.trust_root,),
        enclave=ENCLAVE,
    )


@pytest.fixture(scope="session")
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=3, key_size=3072)
