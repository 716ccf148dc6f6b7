"""A Coordinator's statement, made by the pieces it would use, on a simulated platform."""

import json
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.attestation import SgxReference, TrustRoot
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    SimulatedPlatform,
    create_platform,
    create_vendor,
    issue_collateral,
)
from sealmesh.ledger import (
    EMPTY,
    RelyingPolicy,
    derive_signing_key,
    draft_statement,
    ledger_origin,
    note_key,
    sign_checkpoint,
)
from sealmesh.manifest import parse_manifest
from sealmesh.pki import Authority, issue_authority, trust_domain

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NONCE = bytes(range(32))
ENCLAVE = SimulatedEnclave(unique_id=b"\x11" * 32, signer_id=b"\x22" * 32, product_id=9, security_version=4)
MANIFEST: dict[str, Any] = {
    "Packages": {"till": {"SignerID": "ab" * 32, "ProductID": 7, "SecurityVersion": 3}},
    "Marbles": {"cashier": {"Package": "till"}, "baker": {"Package": "till", "MaxActivations": 2}},
    "Config": {"FeatureGates": ["Simulation", "Access"]},
    "Access": [{"From": ["cashier"], "To": "baker", "Ports": ["8443"]}],
    "Simulation": True,
}


@dataclass(frozen=True)
class Bench:
    """Everything a statement is made of, to be changed by a test."""

    platform: SimulatedPlatform
    authority: Authority
    enclave: SimulatedEnclave = ENCLAVE
    manifest: bytes = field(default_factory=lambda: json.dumps(MANIFEST).encode())
    now: datetime = NOW
    nonce: bytes = NONCE
    relaxations: tuple[str, ...] = ()
    simulation: bool = True
    security_versions: dict[str, int] = field(default_factory=dict)

    def draft(self):
        domain = trust_domain(self.authority.root_cert.public_key())
        key = derive_signing_key(self.authority.root_key)
        return draft_statement(
            now=self.now,
            nonce=self.nonce,
            version="1.2.3",
            root=self.authority.root_cert,
            intermediate=self.authority.intermediate_cert,
            manifest_raw=self.manifest,
            manifest=parse_manifest(self.manifest),
            security_versions=self.security_versions,
            ledger_key=note_key(ledger_origin(domain), key).text(),
            checkpoint=sign_checkpoint(domain, EMPTY.extend([b"manifest set"]), key),
            relaxations=self.relaxations,
            simulation=self.simulation,
        )

    def statement(self) -> bytes:
        draft = self.draft()
        return self.complete(draft)

    def complete(self, draft) -> bytes:
        endorsements = issue_collateral(
            self.platform.vendor, EndorsementPlan(issued=self.now - timedelta(hours=1))
        )
        return draft.complete(
            evidence=self.platform.quote(self.enclave, draft.report_data), endorsements=endorsements
        )

    @property
    def root(self) -> TrustRoot:
        return self.platform.vendor.trust_root

    def policy(self, **changes: Any) -> RelyingPolicy:
        reference = SgxReference(signer_id=self.enclave.signer_id, product_id=9, security_version=4)
        return replace(RelyingPolicy(coordinator=(reference,), trust_roots=(self.root,)), **changes)


def make_authority(now: datetime = NOW) -> Authority:
    return issue_authority(
        OsKeyFactory(),
        dns_names=("localhost",),
        now=now - timedelta(days=1),
        lifetime=timedelta(days=365),
        entropy=os.urandom,
        simulation=True,
    )


def make_platform(now: datetime = NOW) -> SimulatedPlatform:
    now = now - timedelta(days=1)
    return create_platform(create_vendor(now=now, entropy=os.urandom), now=now, entropy=os.urandom)


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench(platform=make_platform(), authority=make_authority())


@pytest.fixture(scope="session")
def other_bench() -> Bench:
    return Bench(platform=make_platform(), authority=make_authority())
