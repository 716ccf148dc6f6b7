"""One genuine piece of Evidence per family, with how to verify it: made once, from fixed entropy."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from sealmesh.attestation import (
    ActivatedKey,
    AzureCollateral,
    CcaCollateral,
    Collateral,
    CompositeClaims,
    CompositeCollateral,
    Family,
    GivenKeys,
    GpuCollateral,
    NoCollateral,
    PlatformKey,
    SnpCollateral,
    TpmClaims,
    TpmCollateral,
    TrustRoot,
    Unchecked,
    VerificationCache,
    VerifiedEvidence,
    chained_report_data,
    encode_composite,
    encode_gpu_evidence,
    make_credential,
    parse_collateral,
    parse_evidence,
    shared_nonce,
    verify,
)
from sealmesh.attestation.certification import key_fingerprint
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedBoot,
    SimulatedEnclave,
    SimulatedGuest,
    SimulatedNitroEnclave,
    SimulatedTd,
    create_chip,
    create_hypervisor,
    create_platform,
    create_tpm,
    create_vendor,
    issue_td_collateral,
    td_quote,
)

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
DATA = bytes(range(64))
PROGRAM = SimulatedEnclave(unique_id=b"\1" * 32, signer_id=b"\2" * 32, product_id=7, security_version=3)
NO_CRL = SnpCollateral(leaf=None, candidates=(), crl=Unchecked())


def load(name: str) -> ModuleType:
    """Return the maker of a family."""
    full = f"evidence_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


@dataclass(frozen=True, kw_only=True)
class Genuine:
    """Evidence that verifies."""

    raw: bytes
    collateral: Collateral
    roots: tuple[TrustRoot, ...]

    def verify(self, raw: bytes | None = None, cache: VerificationCache | None = None) -> VerifiedEvidence:
        evidence = parse_evidence(self.raw if raw is None else raw)
        return verify(evidence, self.collateral, roots=self.roots, now=NOW, cache=cache)


def said(verified: VerifiedEvidence) -> object:
    """Return what was said; of a log that is its digests, not the words beside them, which nobody signed."""
    claims = verified.claims
    if isinstance(claims, TpmClaims):
        return replace(claims, events=()), [(event.pcr, event.digests) for event in claims.events]
    return tuple(map(said, claims.parts)) if isinstance(claims, CompositeClaims) else claims


def says_no_more(forged: VerifiedEvidence, genuine: VerifiedEvidence) -> bool:
    """Whether `forged` says what `genuine` says, or keeps quiet about all events of some registers.

    Nobody signed the log: who carries it can leave out a register. Its rule is then not met (`Events.PCRn`).
    """
    one, other = forged.claims, genuine.claims
    if isinstance(one, CompositeClaims) and isinstance(other, CompositeClaims):
        return len(one.parts) == len(other.parts) and all(map(says_no_more, one.parts, other.parts))
    if not isinstance(one, TpmClaims) or not isinstance(other, TpmClaims):
        return one == other
    told = {event.pcr for event in one.events}
    rest = replace(other, events=tuple(event for event in other.events if event.pcr in told))
    return said(forged) == said(replace(genuine, claims=rest))


class Machines:
    """The simulated machines that the rest is made on."""

    def __init__(self) -> None:
        entropy = Random(11).randbytes
        self.vendor = create_vendor(now=NOW, entropy=entropy)
        self.platform = create_platform(self.vendor, now=NOW, entropy=entropy)
        rsa_key = lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)  # noqa: E731
        self.chip = create_chip(now=NOW, entropy=entropy, rsa_key=rsa_key)
        self.hypervisor = create_hypervisor(now=NOW, entropy=entropy)
        self.td_collateral = parse_collateral(issue_td_collateral(self.vendor, EndorsementPlan(issued=NOW)))

    def guest(self, data: bytes = DATA) -> bytes:
        return self.chip.report(SimulatedGuest.of(PROGRAM), data)

    def azure_snp(self) -> Any:
        attest = lambda pcrs: load("tpm").Quote(pcrs={0xB: pcrs}, nonce=b"azure").attest  # noqa: E731
        return load("azure").Vm(
            attest=attest, report=lambda data: self.guest(data)[:1184], vcek=self.chip.vcek
        )

    def azure_tdx(self) -> Any:
        make = lambda data: td_quote(self.platform, SimulatedTd.of(PROGRAM), data)  # noqa: E731
        td_report = load("azure").td_report
        return self.azure_snp().but(report=lambda data: td_report(make(data)), quote=make)

    def azure_roots(self) -> tuple[TrustRoot, ...]:
        below = (self.chip.trust_root, self.vendor.trust_root_for(Family.TDX))
        return tuple(TrustRoot(name="azure", family=Family.AZURE, sha256=root.sha256) for root in below)


@cache
def machines() -> Machines:
    return Machines()


def _tdx() -> Genuine:
    here = machines()
    raw = td_quote(here.platform, SimulatedTd.of(PROGRAM), DATA)
    root = here.vendor.trust_root_for(Family.TDX)
    return Genuine(raw=raw, collateral=here.td_collateral, roots=(root,))


def _snp() -> Genuine:
    return Genuine(raw=machines().guest(), collateral=NO_CRL, roots=(machines().chip.trust_root,))


def _nitro() -> Genuine:
    hypervisor = machines().hypervisor
    raw = hypervisor.document(SimulatedNitroEnclave.of(PROGRAM), DATA, now=NOW)
    return Genuine(raw=raw, collateral=NoCollateral(), roots=(hypervisor.trust_root,))


def _cca() -> Genuine:
    maker = load("cca")
    key = PlatformKey(key=maker.PLATFORM_KEY.public_key())
    root = TrustRoot(name="cca", family=Family.CCA, sha256=key.sha256)
    collateral = CcaCollateral(platform_keys=(key,))
    return Genuine(raw=maker.Token().encode(), collateral=collateral, roots=(root,))


def _tpm(nonce: bytes = b"challenge") -> Genuine:
    maker = load("tpm")
    key = maker.AK.public_key()
    root = TrustRoot(name="ak", family=Family.TPM, sha256=key_fingerprint(key))
    collateral = TpmCollateral(key=GivenKeys(keys=(key,)), nonce=Unchecked())
    return Genuine(raw=maker.Quote(nonce=nonce).encode(), collateral=collateral, roots=(root,))


def _tpm_activated() -> Genuine:
    """With event log and EK certificate, whose TPM answered a challenge."""
    tpm, secret = create_tpm(now=NOW, entropy=Random(12).randbytes), b"secret" * 5
    raw = tpm.evidence(SimulatedBoot.of(PROGRAM), DATA, now=NOW)
    credential = make_credential(
        tpm.endorsement_key.public_key(), tpm.key_name, secret, entropy=Random(13).randbytes
    )
    key = ActivatedKey(
        public_area=tpm.public_area,
        certificate=tpm.ek_chain[0],
        candidates=tpm.ek_chain[1:],
        challenge=secret,
        answer=tpm.activate(credential),
    )
    return Genuine(
        raw=raw, collateral=TpmCollateral(key=key, nonce=Unchecked()), roots=(tpm.trust_root, tpm.given_key)
    )


def _azure() -> Genuine:
    here = machines()
    certificates = SnpCollateral(leaf=None, candidates=(here.chip.ask, here.chip.ark), crl=Unchecked())
    collateral = AzureCollateral(hardware=certificates, nonce=Unchecked())
    return Genuine(raw=here.azure_snp().encode(), collateral=collateral, roots=here.azure_roots())


def _azure_tdx() -> Genuine:
    here = machines()
    collateral = AzureCollateral(hardware=here.td_collateral, nonce=Unchecked())
    return Genuine(raw=here.azure_tdx().encode(), collateral=collateral, roots=here.azure_roots())


def _gpu() -> Genuine:
    maker = load("gpu")
    raw = encode_gpu_evidence(exchange=maker.Exchange().encode(), chain=maker.CHAIN)
    root = TrustRoot(name="gpu", family=Family.GPU, sha256=maker.ROOT_SHA256)
    collateral = GpuCollateral(chain=None, crls=Unchecked(), nonce=Unchecked())
    return Genuine(raw=raw, collateral=collateral, roots=(root,))


def _composite() -> Genuine:
    quote = _tpm(shared_nonce(DATA))
    guest = _snp()
    report = machines().guest(chained_report_data(DATA, [quote.raw]))
    return Genuine(
        raw=encode_composite([report, quote.raw]),
        collateral=CompositeCollateral(parts=(guest.collateral, quote.collateral)),  # type: ignore[arg-type]
        roots=(*guest.roots, *quote.roots),
    )


MAKERS: dict[str, Callable[[], Genuine]] = {
    "tdx": _tdx,
    "snp": _snp,
    "nitro": _nitro,
    "cca": _cca,
    "tpm": _tpm,
    "tpm-activated": _tpm_activated,
    "azure": _azure,
    "azure-tdx": _azure_tdx,
    "gpu": _gpu,
    "composite": _composite,
}


@cache
def genuine(name: str) -> Genuine:
    """Return the genuine Evidence of a family."""
    return MAKERS[name]()
