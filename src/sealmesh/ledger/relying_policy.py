"""What a relying party wants of a Coordinator: its Reference Values, trust roots and manifest.

The JSON form (`docs/tasks/verify.md`):

    {"Coordinator": {"SignerID": HEX, "ProductID": 3, "SecurityVersion": 1},   or {"UniqueID": HEX}
                    or {"Evidence": [{"SNP": {...}}, ...]}, a list as in a manifest's package
     "Manifest": HEX,                                         optional: the manifest's SHA-256
     "Relaxations": [],                                       optional: which may be in force
     "TrustRoots": [{"Name": "lab", "SHA256": HEX, "Simulated": true, "Family": "SNP"}, "amd-milan"]}
                                                              default: the vendors' of these families

A policy that would accept any software is refused. MarbleRun's era file (the members of
`Coordinator` at the top) is read by `parse_era_config`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sealmesh.attestation import (
    INTEL,
    VENDOR_ROOTS,
    AllOf,
    Family,
    Reference,
    SgxReference,
    TdxReference,
    TrustRoot,
)
from sealmesh.errors.ledger import RelyingPolicyError, StatementError
from sealmesh.errors.manifest import ManifestError
from sealmesh.ledger.canonical import Json, parse_json
from sealmesh.manifest import parse_evidence_forms

#: What MarbleRun's client accepts unless told otherwise (COMPAT section 13).
DEFAULT_TCB_STATUSES = ("UpToDate", "SWHardeningNeeded")
_COORDINATOR = frozenset({
    "UniqueID", "SignerID", "ProductID", "SecurityVersion", "Debug", "AcceptedTCBStatuses",
    "AcceptedAdvisories", "Evidence",
})  # fmt: skip
_TOP = frozenset({"Coordinator", "Manifest", "Relaxations", "TrustRoots"})
_ROOT = frozenset({"Name", "SHA256", "Simulated", "Family"})
_FAMILIES = {family.value: family for family in Family if family is not Family.COMPOSITE}


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingPolicy:
    """The relying party's Appraisal Policy for a Coordinator.

    Attributes:
        coordinator: What the Coordinator may be: alternatives, of one family of TEEs or of several.
        trust_roots: Whose word about the hardware is believed.
        manifest_sha256: The one accepted manifest's fingerprint; None accepts any and shows it.
        relaxations: Which relaxations may be in force; None accepts any and shows them.
    """

    coordinator: tuple[Reference, ...]
    trust_roots: tuple[TrustRoot, ...] = (INTEL,)
    manifest_sha256: bytes | None = None
    relaxations: frozenset[str] | None = None

    def with_manifest(self, fingerprint: bytes) -> "RelyingPolicy":
        """Return this policy with one accepted manifest."""
        return replace(self, manifest_sha256=fingerprint)

    def with_tcb(
        self, *, statuses: frozenset[str] | None = None, advisories: frozenset[str] | None = None
    ) -> "RelyingPolicy":
        """Return this policy with other accepted states of Intel's platforms; None leaves them."""
        return replace(
            self,
            coordinator=tuple(_with_tcb(reference, statuses, advisories) for reference in self.coordinator),
        )


def parse_policy(raw: bytes) -> RelyingPolicy:
    """Return the policy in `raw`.

    Raises:
        RelyingPolicyError: It is not JSON of this shape, has unknown members, or nothing to compare.
    """
    document = _members(_json(raw), _TOP, "policy")
    if "Coordinator" not in document:
        raise RelyingPolicyError("the policy does not say what the Coordinator must be", wanted="Coordinator")
    relaxations = document.get("Relaxations")
    coordinator = _references(_members(document["Coordinator"], _COORDINATOR, "Coordinator"))
    return RelyingPolicy(
        coordinator=coordinator,
        trust_roots=_roots(document["TrustRoots"]) if "TrustRoots" in document else _vendors(coordinator),
        manifest_sha256=_hex32(document["Manifest"], "Manifest") if "Manifest" in document else None,
        relaxations=None if relaxations is None else frozenset(_texts(relaxations, "Relaxations")),
    )


def parse_era_config(raw: bytes) -> RelyingPolicy:
    """Return the policy that a MarbleRun era file means: these Reference Values under the vendor's root.

    Raises:
        RelyingPolicyError: As for `parse_policy`.
    """
    coordinator = _references(_members(_json(raw), _COORDINATOR, "era file"))
    return RelyingPolicy(coordinator=coordinator, trust_roots=_vendors(coordinator))


def _with_tcb(
    reference: Reference, statuses: frozenset[str] | None, advisories: frozenset[str] | None
) -> Reference:
    if not isinstance(reference, SgxReference | TdxReference):
        return reference
    if statuses is not None:
        reference = replace(reference, accepted_tcb_statuses=statuses)
    return reference if advisories is None else replace(reference, accepted_advisories=advisories)


def _json(raw: bytes) -> Json:
    try:
        return parse_json(raw, what="policy")
    except StatementError as error:
        raise RelyingPolicyError(error.message, found=error.found) from error


def _references(members: Mapping[str, Json]) -> tuple[Reference, ...]:
    forms = members.get("Evidence")
    if forms is None:
        return (_enclave(members),)
    if len(members) > 1 or not isinstance(forms, list):
        raise RelyingPolicyError(
            "Evidence is a list and stands alone: it says everything",
            found=", ".join(members),
            wanted='{"Evidence": [{"SGX": {...}}, {"SNP": {...}}]}',
        )
    try:
        return parse_evidence_forms(forms)
    except ManifestError as error:
        raise RelyingPolicyError("the forms of Evidence cannot be meant", found=str(error)) from error


def _vendors(references: Sequence[Reference]) -> tuple[TrustRoot, ...]:
    """Return the roots of the vendors of these families."""
    parts = (reference.parts if isinstance(reference, AllOf) else (reference,) for reference in references)
    families = {part.family for group in parts for part in group}
    return tuple(root for root in VENDOR_ROOTS.values() if root.family in families)


def _enclave(members: Mapping[str, Json]) -> SgxReference:
    unique = _hex32(members["UniqueID"], "UniqueID") if members.get("UniqueID") else None
    signer = _hex32(members["SignerID"], "SignerID") if members.get("SignerID") else None
    if unique is None and (signer is None or not {"ProductID", "SecurityVersion"} <= set(members)):
        raise RelyingPolicyError(
            "the policy would accept any Coordinator",
            found=", ".join(members) or "no Reference Values",
            wanted="UniqueID, or SignerID with ProductID and SecurityVersion",
        )
    debug = members.get("Debug", False)
    if not isinstance(debug, bool):
        raise RelyingPolicyError("Debug is true or false", found=repr(debug))
    statuses = _texts(members.get("AcceptedTCBStatuses", DEFAULT_TCB_STATUSES), "AcceptedTCBStatuses")
    advisories = members.get("AcceptedAdvisories")
    return SgxReference(
        unique_id=unique,
        signer_id=signer,
        product_id=_number(members, "ProductID"),
        security_version=_number(members, "SecurityVersion"),
        debug=debug,
        accepted_tcb_statuses=frozenset(statuses),
        accepted_advisories=None
        if advisories is None
        else frozenset(_texts(advisories, "AcceptedAdvisories")),
    )


def _roots(value: Json) -> tuple[TrustRoot, ...]:
    if not isinstance(value, list) or not value:
        raise RelyingPolicyError("TrustRoots is a list with at least one root")
    return tuple(map(_root, value))


def _root(value: Json) -> TrustRoot:
    if isinstance(value, str):
        if value not in VENDOR_ROOTS:
            raise RelyingPolicyError(
                "no vendor's root has this name", found=value[:80], wanted=", ".join(VENDOR_ROOTS)
            )
        return VENDOR_ROOTS[value]
    members = _members(value, _ROOT, "TrustRoots")
    name, simulated = members.get("Name"), members.get("Simulated", False)
    if not isinstance(name, str) or not name or not isinstance(simulated, bool) or "SHA256" not in members:
        raise RelyingPolicyError("a trust root has Name, SHA256 and, if it is one of a simulation, Simulated")
    fingerprint = _hex32(members["SHA256"], "SHA256")
    return TrustRoot(
        name=name, family=_family(members.get("Family", "sgx")), sha256=fingerprint, simulated=simulated
    )


def _family(value: Json) -> Family:
    family = _FAMILIES.get(value.lower()) if isinstance(value, str) else None
    if family is None:
        raise RelyingPolicyError(
            "a trust root's Family is a kind of TEE", found=repr(value)[:80], wanted=", ".join(_FAMILIES)
        )
    return family


def _members(value: Json, known: frozenset[str], where: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise RelyingPolicyError(f"{where} is an object", found=type(value).__name__)
    unknown = sorted(set(value) - known)
    if unknown:
        raise RelyingPolicyError(
            f"unknown member in {where}", found=", ".join(unknown), wanted=", ".join(sorted(known))
        )
    return value


def _hex32(value: Json, name: str) -> bytes:
    try:
        raw = bytes.fromhex(value) if isinstance(value, str) and value.isalnum() else b""
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise RelyingPolicyError(f"{name} is 32 bytes in hex", found=repr(value)[:80])
    return raw


def _number(members: Mapping[str, Json], name: str) -> int | None:
    value = members.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RelyingPolicyError(f"{name} is a number, 0 or more", found=repr(value)[:80])
    return value


def _texts(value: Json, name: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise RelyingPolicyError(f"{name} is a list of texts", found=repr(value)[:80])
    return tuple(str(item) for item in value)
