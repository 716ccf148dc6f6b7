"""May this Evidence be admitted as a Marble of that package?

The Evidence was verified before (signatures, chain, freshness); here its claims meet the manifest. The
rules, in order:

1. Evidence that did not verify is refused. By the relaxation `insecure-empty-quotes` it counts as none
   and passes, marked as simulation.
2. Evidence under a simulated trust root (of one part of a composite is enough) passes only where the manifest
   says `Simulation`. (That the root is one of the configuration's was checked when it was verified.)
3. Its claims must meet the package's Reference Values, or one of its accepted forms of Evidence, and its
   report data must be the SHA-256 of the certificate that the connection was opened with.
4. Its machine must be one of the manifest's `Infrastructures`, where there are any.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType

from sealmesh.attestation import (
    CompositeClaims,
    EnclaveClaims,
    Reference,
    SgxReference,
    VerifiedEvidence,
    appraise_any,
    measurements_of,
)
from sealmesh.attestation.results import judge, trust_text
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.infrastructures import infrastructure_mismatches
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors import SealmeshError
from sealmesh.errors.attestation import AppraisalError
from sealmesh.errors.coordinator import EvidenceRefused
from sealmesh.manifest import Infrastructure, Package

REPORT_DATA_BYTES = 64
NO_INFRASTRUCTURES: Mapping[str, Infrastructure] = MappingProxyType({})
_ALWAYS_ACCEPTED = "UpToDate"
_ACCEPTED_BY_DEFAULT = ("SWHardeningNeeded",)

#: What verification came to: the verified Evidence, or why there is none.
Verdict = VerifiedEvidence | SealmeshError


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The Evidence was accepted.

    Attributes:
        simulation: What was admitted is not protected by hardware.
        verdict: What the ledger keeps about it: family, root, measurement, TCB status.
    """

    simulation: bool
    verdict: dict[str, str | int | bool] = field(default_factory=dict)


def admit(
    verdict: Verdict,
    *,
    package: Package,
    infrastructures: Mapping[str, Infrastructure] = NO_INFRASTRUCTURES,
    simulation_allowed: bool,
    settings: Settings,
    certificate: bytes,
) -> Admission:
    """Accept `verdict` as Evidence of `package`, made for the connection's `certificate` (DER).

    Raises:
        EvidenceRefused: One of the rules above; `mismatches` names every claim that differs.
    """
    if isinstance(verdict, SealmeshError):
        return without_evidence(verdict, settings)
    if verdict.root.simulated and not simulation_allowed:
        raise EvidenceRefused(
            "the Evidence is of a simulated TEE",
            code="simulation-not-allowed",
            found=f"trust root `{verdict.root.name}`, which is simulated",
            wanted="Evidence of real hardware",
            remedy='To try things out, set `"Simulation": true` and its feature gate in the manifest.',
        )
    try:
        _appraise(verdict, package, infrastructures, report_data(certificate))
    except AppraisalError as error:
        raise EvidenceRefused(
            error.message, code=error.code, remedy=error.remedy, mismatches=error.mismatches
        ) from error
    recognized = bool(infrastructures) and all(item.platform_ids for item in infrastructures.values())
    return Admission(simulation=verdict.root.simulated, verdict=_facts(verdict, recognized=recognized))


def _appraise(
    verified: VerifiedEvidence, package: Package, infrastructures: Mapping[str, Infrastructure], bound: bytes
) -> None:
    """Accept the software and the machine.

    Raises:
        AppraisalError: With the mismatches of both.
    """
    mismatches = list(infrastructure_mismatches(verified, infrastructures))
    try:
        appraise_any(verified, references(package), report_data=bound)
    except AppraisalError as error:
        mismatches[:0] = error.mismatches
    if mismatches:
        raise AppraisalError(mismatches)


def report_data(*parts: bytes) -> bytes:
    """Return SHA-256 over `parts`, padded with zeros to the 64 bytes of SGX report data."""
    return sha256(b"".join(parts)).digest().ljust(REPORT_DATA_BYTES, b"\0")


def references(package: Package) -> Sequence[Reference]:
    """Return the forms of Evidence that `package` accepts: its list, or the one enclave that it describes.

    Raises:
        EvidenceRefused: As for `sgx_reference`.
    """
    return (sgx_reference(package),) if package.evidence is None else package.evidence


def sgx_reference(package: Package) -> SgxReference:
    """Return the Reference Values that `package` states (COMPAT sections 5 and 8).

    Raises:
        EvidenceRefused: An id is not hex, so that nothing can equal it.
    """
    accepted = package.accepted_tcb_statuses
    return SgxReference(
        unique_id=_measurement(package.unique_id, "UniqueID"),
        signer_id=_measurement(package.signer_id, "SignerID"),
        product_id=package.product_id,
        security_version=package.security_version,
        debug=package.debug,
        accepted_tcb_statuses=frozenset(
            (_ALWAYS_ACCEPTED, *(_ACCEPTED_BY_DEFAULT if accepted is None else accepted))
        ),
        accepted_advisories=None
        if package.accepted_advisories is None
        else frozenset(package.accepted_advisories),
    )


def _measurement(text: str, name: str) -> bytes | None:
    if not text:
        return None
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise EvidenceRefused(
            f"the manifest's {name} is not a measurement, so nothing can equal it",
            code="reference-value",
            found=repr(text[:80]),
            wanted="64 hex digits",
            remedy="Correct the package by a manifest update.",
        )
    return value


def without_evidence(reason: SealmeshError, settings: Settings) -> Admission:
    """Refuse for `reason`, or admit without Evidence where that is relaxed (rule 1).

    Raises:
        EvidenceRefused: With what `reason` says.
    """
    if settings.relaxed(Relaxation.INSECURE_EMPTY_QUOTES):
        return Admission(simulation=True, verdict={"evidence": "none", "relaxation": "insecure-empty-quotes"})
    raise EvidenceRefused(
        reason.message,
        code=reason.code,
        found=reason.found,
        wanted=reason.wanted,
        remedy=reason.remedy or None,
    ) from reason


def _facts(verified: VerifiedEvidence, *, recognized: bool) -> dict[str, str | int | bool]:
    """Return what the ledger keeps, enough for an Attestation Result later (`commands.give_result`)."""
    facts: dict[str, str | int | bool] = {
        "evidence": sha256(verified.raw).hexdigest(),
        "family": verified.family.value,
        "root": verified.root.name,
        "simulation": verified.root.simulated,
        "tcb": verified.tcb.status.value,
        "expires": f"{verified.expires:%Y-%m-%dT%H:%M:%SZ}",
    }
    if verified.tcb.advisories:
        facts["advisories"] = " ".join(verified.tcb.advisories)
    claims = verified.claims
    if isinstance(claims, CompositeClaims):
        for number, part in enumerate(claims.parts):
            own = _facts(part, recognized=recognized)
            facts |= {f"part{number}_{name}": value for name, value in own.items()}
        return facts
    facts["trust"] = trust_text(judge(verified, appraised=True, recognized=recognized))
    if not isinstance(claims, EnclaveClaims):
        facts |= measurements_of(claims)
    else:
        facts |= {
            "unique_id": claims.mr_enclave.hex(),
            "signer_id": claims.mr_signer.hex(),
            "product_id": claims.isv_prod_id,
            "security_version": claims.isv_svn,
            "debug": claims.debug,
        }
    return facts
