"""What our facts come to in the trustworthiness vector. Table and reasons: docs/attestation/results.md.

A value is of the standard's list where one fits. Where several fit the worst counts
(draft-ietf-rats-ar4si-10, "Assigning a Trustworthiness Claim value"). What no Evidence of ours speaks of
(files, storage, sourced data) is left out, which says nothing about it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import assert_never

from sealmesh.attestation.azure import AzureClaims
from sealmesh.attestation.cca import CcaClaims
from sealmesh.attestation.evidence import CompositeClaims, SingleClaims, VerifiedEvidence
from sealmesh.attestation.gpu import GpuClaims
from sealmesh.attestation.nitro import NitroClaims
from sealmesh.attestation.results.trust import Aspect, TrustVector, tier_of, trusts_more
from sealmesh.attestation.sgx import EnclaveClaims
from sealmesh.attestation.snp import SnpClaims
from sealmesh.attestation.tcb import TcbStatus
from sealmesh.attestation.tdx import TdClaims
from sealmesh.attestation.tpm import TpmClaims

RECOGNIZED = 2
"""Instance: known, not known to be compromised. Configuration: approved. Hardware: genuine, supported."""
APPROVED_AT_START = 3
"""Executables: what was loaded at the start is approved. (2 would speak of all that was loaded since.)"""
ENCRYPTED = 2
"""Memory: encrypted, opaque to operating system, hypervisor and other programs."""
ISOLATED = 32
"""Memory: out of other programs' and guests' reach, not of the hypervisor's."""
KNOWN_VULNERABILITIES = 32
NOT_RECOGNIZED = 33
"""Executables: some are not known to the verifier."""
CONTRAINDICATED = 96
VISIBLE = 96
"""Memory: visible to the host."""
UNKNOWN_MACHINE = 97
"""Hardware or instance: not recognized, but it should be."""
NOT_VERIFIED = 99
"""The cryptographic validation of the Evidence failed."""

_OF_FAILED = (
    Aspect.INSTANCE_IDENTITY,
    Aspect.CONFIGURATION,
    Aspect.EXECUTABLES,
    Aspect.HARDWARE,
    Aspect.RUNTIME_OPAQUE,
)
_HARDWARE: Mapping[TcbStatus, int] = MappingProxyType({
    TcbStatus.UP_TO_DATE: RECOGNIZED,
    TcbStatus.SW_HARDENING_NEEDED: KNOWN_VULNERABILITIES,
    TcbStatus.CONFIGURATION_NEEDED: RECOGNIZED,
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED: KNOWN_VULNERABILITIES,
    TcbStatus.OUT_OF_DATE: KNOWN_VULNERABILITIES,
    TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED: KNOWN_VULNERABILITIES,
    TcbStatus.REVOKED: CONTRAINDICATED,
    TcbStatus.NOT_SUPPORTED: UNKNOWN_MACHINE,
})  # fmt: skip
_CONFIGURATION_NEEDED = frozenset({
    TcbStatus.CONFIGURATION_NEEDED,
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED,
    TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED,
})  # fmt: skip

#: What a refused claim speaks of, by the field of its mismatch; anything else is configuration.
_REFUSED: tuple[tuple[re.Pattern[str], Aspect, int], ...] = (
    (re.compile(r"Infrastructures\b|ReportData$"), Aspect.INSTANCE_IDENTITY, UNKNOWN_MACHINE),
    (re.compile(r"Family$|Parts$"), Aspect.HARDWARE, UNKNOWN_MACHINE),
    (
        re.compile(
            r"TCBStatus$|Advisories$|MRSEAM$|TEETCBSVN\[|MinimumTCB\.|ImplementationID$|Firmware|VBIOS$"
        ),
        Aspect.HARDWARE,
        CONTRAINDICATED,
    ),
    (re.compile(r"Debug$|Lifecycle$"), Aspect.RUNTIME_OPAQUE, VISIBLE),
    (
        re.compile(
            r"UniqueID$|SignerID$|ProductID$|SecurityVersion$|MRTD$|RTMR\d|Measurement|IDKeyDigest$"
            r"|AuthorKeyDigest$|FamilyID$|ImageID$|GuestSVN$|RIM$|REM\d|PCR\d|Events\.|Driver$|Reference$"
        ),
        Aspect.EXECUTABLES,
        CONTRAINDICATED,
    ),
)


def judge(
    verified: VerifiedEvidence, *, appraised: bool, recognized: bool = False, refused: Sequence[str] = ()
) -> TrustVector:
    """Return the vector for genuine Evidence of one family.

    Args:
        verified: No composite; of one its parts.
        appraised: Whether its claims were compared with Reference Values; without, its software counts as
            not recognized.
        recognized: Whether the machine itself was looked for and found (`Infrastructures`).
        refused: The fields of the mismatches, as the appraisal names them.
    """
    claims = verified.claims
    if isinstance(claims, CompositeClaims):
        raise ValueError("the parts of a composite are judged one by one")
    return _worst_of((
        *_machine(claims, verified.tcb.status, simulated=verified.root.simulated),
        *_software(claims, appraised=appraised),
        *([(Aspect.INSTANCE_IDENTITY, RECOGNIZED)] if recognized else []),
        *map(_of_refused, refused),
    ))  # fmt: skip


def judge_failed() -> TrustVector:
    """Return the vector for Evidence that did not verify: nothing it says counts."""
    return dict.fromkeys(_OF_FAILED, NOT_VERIFIED)


def debuggable(claims: SingleClaims) -> bool:
    """Tell whether the host may look into what the Evidence speaks of."""
    match claims:
        case EnclaveClaims() | TdClaims() | SnpClaims() | NitroClaims():
            return claims.debug
        case AzureClaims():
            return claims.guest.debug
        case CcaClaims():
            return not claims.secured
        case TpmClaims() | GpuClaims():
            return False
    assert_never(claims)


def _machine(claims: SingleClaims, status: TcbStatus, *, simulated: bool) -> Iterator[tuple[Aspect, int]]:
    """Yield what is known of hardware and firmware."""
    if status is not TcbStatus.NOT_JUDGED:
        yield Aspect.HARDWARE, _HARDWARE[status]
    elif not _has_statuses(claims):
        yield Aspect.HARDWARE, RECOGNIZED
    if status in _CONFIGURATION_NEEDED:
        yield Aspect.CONFIGURATION, KNOWN_VULNERABILITIES
    yield from ((Aspect.RUNTIME_OPAQUE, value) for value in _memory(claims))
    if simulated:
        yield Aspect.HARDWARE, UNKNOWN_MACHINE
        yield Aspect.RUNTIME_OPAQUE, VISIBLE


def _has_statuses(claims: SingleClaims) -> bool:
    """Tell whether a vendor judges such a platform's TCB, so that its silence is no consent."""
    guest = claims.guest if isinstance(claims, AzureClaims) else claims
    return isinstance(guest, EnclaveClaims | TdClaims)


def _memory(claims: SingleClaims) -> Iterator[int]:
    match claims:
        case EnclaveClaims() | TdClaims() | SnpClaims() | AzureClaims() | CcaClaims():
            yield ENCRYPTED
        case NitroClaims():
            yield ISOLATED
        case TpmClaims() | GpuClaims():
            pass
    if debuggable(claims):
        yield VISIBLE


def _software(claims: SingleClaims, *, appraised: bool) -> Iterator[tuple[Aspect, int]]:
    """Yield what is known of the software; what a debugger can change is not what was measured."""
    measured = appraised and not debuggable(claims)
    yield Aspect.EXECUTABLES, APPROVED_AT_START if measured else NOT_RECOGNIZED
    if appraised:
        yield Aspect.CONFIGURATION, RECOGNIZED


def _of_refused(field: str) -> tuple[Aspect, int]:
    for pattern, aspect, value in _REFUSED:
        if pattern.search(field):
            return aspect, value
    return Aspect.CONFIGURATION, CONTRAINDICATED


def _worst_of(values: Sequence[tuple[Aspect, int]]) -> TrustVector:
    vector: dict[Aspect, int] = {}
    for aspect, value in values:
        if aspect not in vector or trusts_more(tier_of(vector[aspect]), tier_of(value)):
            vector[aspect] = value
    return dict(sorted(vector.items()))
