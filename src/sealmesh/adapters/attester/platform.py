"""The directory of a simulated platform: one machine's throw-away vendor, for as long as it is wanted.

    platform.json     keys and certificates of vendor and machine, the seal secret    0600
    collateral.json   what the vendor published last; re-issued before it expires     0600
    house-key.pem     the key that signs this machine's own sealmesh Coordinator      0600
    collateral-tdx.json, snp.json, nitro.json, tpm.json   its other simulated TEEs, once used      0600
    trust-root.json   the root for a verifier's policy file; not secret

Several processes may use one directory at once.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.adapters.attester.machines import SimulatedMachines
from sealmesh.adapters.attester.private_directory import PrivateDirectory
from sealmesh.adapters.attester.signing_key import encode_signing_key, generate_signing_key, parse_signing_key
from sealmesh.adapters.clock import system_clock, system_entropy
from sealmesh.attestation import Family, TrustRoot, parse_collateral
from sealmesh.attestation.dcap.tcb_info import parse_tcb_info
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedChip,
    SimulatedHypervisor,
    SimulatedPlatform,
    SimulatedTpm,
    create_platform,
    create_vendor,
    issue_collateral,
    issue_td_collateral,
)
from sealmesh.attestation.simulated.record import encode_platform, parse_platform
from sealmesh.errors.attestation import AttestationError

_PLATFORM = "platform.json"
_COLLATERAL = {Family.SGX: "collateral.json", Family.TDX: "collateral-tdx.json"}
_HOUSE_KEY = "house-key.pem"
_TRUST_ROOT = "trust-root.json"
_BACKDATED = timedelta(minutes=5)
"""Collateral says that it was issued a little earlier, for verifiers whose clock is behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Published:
    collateral: bytes
    use_from: datetime
    use_until: datetime


class PlatformDirectory:
    """A simulated platform that lives in a directory."""

    def __init__(
        self,
        directory: PrivateDirectory,
        platform: SimulatedPlatform,
        clock: Callable[[], datetime],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._machines = SimulatedMachines(directory, clock, entropy)
        self._published: dict[Family, _Published] = {}
        self.platform = platform

    @property
    def path(self) -> Path:
        """Where it lives."""
        return self._directory.path

    @property
    def trust_root(self) -> TrustRoot:
        """The root of its vendor."""
        return self.platform.vendor.trust_root

    @property
    def trust_roots(self) -> tuple[TrustRoot, ...]:
        """The roots of its simulated vendors: for SGX, TDX, SNP, Nitro and TPM."""
        intel = (self.trust_root, self.platform.vendor.trust_root_for(Family.TDX))
        return (*intel, self.chip().trust_root, self.hypervisor().trust_root, self.tpm().trust_root)

    @property
    def clock(self) -> Callable[[], datetime]:
        """Its clock."""
        return self._clock

    def chip(self) -> SimulatedChip:
        """Return the simulated SNP processor, made when first asked for."""
        return self._machines.chip()

    def hypervisor(self) -> SimulatedHypervisor:
        """Return the simulated Nitro hypervisor, made when first asked for."""
        return self._machines.hypervisor()

    def tpm(self) -> SimulatedTpm:
        """Return the simulated TPM, made when first asked for."""
        return self._machines.tpm()

    def collateral(self, family: Family = Family.SGX) -> bytes:
        """Return collateral that is valid now and for some days more, issuing it anew where needed.

        Args:
            family: SGX or TDX.
        """
        now = self._clock()
        published = self._published.get(family)
        if published is None or not published.use_from <= now < published.use_until:
            with self._directory.locked():
                published = self._read_collateral(family, now) or self._issue_collateral(family, now)
            self._published = {**self._published, family: published}
        return published.collateral

    def house_key(self) -> rsa.RSAPrivateKey:
        """Return the key that signs this machine's own Coordinator, made when first asked for."""
        with self._directory.locked():
            pem = self._directory.read(_HOUSE_KEY)
            if pem is None:
                pem = encode_signing_key(generate_signing_key())
                self._directory.write(_HOUSE_KEY, pem)
        return parse_signing_key(pem, name=str(self.path / _HOUSE_KEY))

    def _read_collateral(self, family: Family, now: datetime) -> _Published | None:
        """Return what another process published, unless it is old, damaged or of another vendor."""
        raw = self._directory.read(_COLLATERAL[family])
        if raw is None:
            return None
        try:
            collateral = parse_collateral(raw)
            validity = parse_tcb_info(collateral.tcb_info).validity
        except AttestationError:
            return None
        if self.platform.vendor.root.pem not in collateral.pck_crl_issuer_chain:
            return None
        published = _published(raw, validity.not_before, validity.not_after)
        return published if published.use_from <= now < published.use_until else None

    def _issue_collateral(self, family: Family, now: datetime) -> _Published:
        plan = EndorsementPlan(issued=(now - _BACKDATED).replace(microsecond=0))
        issue = issue_td_collateral if family is Family.TDX else issue_collateral
        raw = issue(self.platform.vendor, plan)
        self._directory.write(_COLLATERAL[family], raw)
        return _published(raw, plan.issued, plan.issued + plan.lifetime)


def _published(raw: bytes, issued: datetime, expires: datetime) -> _Published:
    """Stop using a document a third of its life before it expires."""
    return _Published(collateral=raw, use_from=issued, use_until=expires - (expires - issued) / 3)


def open_or_create(
    platform_dir: Path,
    *,
    clock: Callable[[], datetime] = system_clock,
    entropy: Callable[[int], bytes] = system_entropy,
) -> PlatformDirectory:
    """Open the simulated platform in a directory, making it where there is none.

    Args:
        platform_dir: Mode 0700; made where missing.
        clock: The time, aware UTC.
        entropy: Where new keys come from.

    Raises:
        PlatformError: The directory is open to others, or its file is damaged.
    """
    directory = PrivateDirectory(platform_dir)
    with directory.locked():
        raw = directory.read(_PLATFORM)
        if raw is None:
            now = clock().replace(microsecond=0)
            vendor = create_vendor(now=now, entropy=entropy)
            platform = create_platform(vendor, now=now, entropy=entropy)
            directory.write(_TRUST_ROOT, _trust_root_document(vendor.trust_root))
            directory.write(_PLATFORM, encode_platform(platform))
        else:
            platform = parse_platform(raw)
    return PlatformDirectory(directory, platform, clock, entropy)


def _trust_root_document(root: TrustRoot) -> bytes:
    document = {"Name": root.name, "SHA256": root.sha256.hex(), "Simulated": root.simulated}
    return json.dumps(document, indent=1).encode() + b"\n"
