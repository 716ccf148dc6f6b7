"""A verified application, told to people and to programs."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealmesh.attestation import SingleClaims
    from sealmesh.client import VerifiedApplication

_LIMITS = (
    "That the software named in the manifest is free of faults, or does what you hope: read it.",
    "That the ledger was not put back to an older state: compare its size and root with ones you kept.",
    "Anything about the time after the statement was made.",
)


def summary(application: "VerifiedApplication") -> dict[str, object]:
    """Return the verified facts for `--json`."""
    from sealmesh.attestation import measurements_of, runs_in_debug

    evidence, claims = application.evidence, application.claims
    return {
        "verified": True,
        "time": application.time.isoformat(),
        "coordinatorVersion": application.version,
        "trustDomain": application.trust_domain,
        "trustRoot": evidence.root.name,
        "tcbStatus": str(evidence.tcb.status),
        "advisories": list(evidence.tcb.advisories),
        "family": str(evidence.family),
        **_enclave_ids(claims),
        "measurements": measurements_of(claims),
        "debug": runs_in_debug(claims),
        "manifestFingerprint": application.manifest_sha256,
        "authority": application.authority,
        "securityVersions": dict(application.security_versions),
        "ledger": {"size": application.checkpoint.size, "root": application.checkpoint.root.hex()},
        "relaxations": list(application.relaxations),
        "simulation": application.simulation,
    }


def report(application: "VerifiedApplication", *, where: str, fresh: bool, kept: Path | None) -> str:
    """Return in plain words what was checked, what was found, and what it does not mean."""
    lines = [f"VERIFIED: {where}", ""]
    if application.simulation:
        lines += [
            "SIMULATION: hardware is simulated here. Nothing protects against who runs the machine.",
            "",
        ]
    lines += ["What was checked"]
    lines += [f"  {label:13}{text}" for label, text in _checked(application, fresh=fresh)]
    lines += ["", "What it does not mean", *(f"  {text}" for text in _LIMITS)]
    if kept is not None:
        again = f"sealmesh verify {kept} --policy FILE"
        lines += ["", f"The statement is in {kept}; anybody can verify it again: {again}"]
    return "\n".join(lines)


def _checked(application: "VerifiedApplication", *, fresh: bool) -> list[tuple[str, str]]:
    evidence, manifest = application.evidence, application.manifest
    return [
        (
            "hardware",
            f"Its Evidence leads to the trust root {evidence.root.name!r}; TCB {evidence.tcb.status}.",
        ),
        (
            "Coordinator",
            f"It is the software the policy names, {_software(application)}.",
        ),
        *_debug(application),
        ("statement", "The hardware signed this very document: manifest, certificates, ledger and all."),
        ("freshness", _freshness(application, fresh=fresh)),
        ("manifest", application.manifest_sha256),
        ("", f"{len(manifest.marbles)} Marble types, {len(manifest.users)} users; {_access(application)}."),
        *_governance(application),
        ("mesh", application.trust_domain),
        (
            "",
            f"The certificate chain and the ledger of {application.checkpoint.size} entries are this mesh's.",
        ),
        ("relaxations", ", ".join(application.relaxations) or "none"),
    ]


def _governance(application: "VerifiedApplication") -> list[tuple[str, str]]:
    governance = application.manifest.governance
    if governance is None:
        return []
    reserved = (f"{act} {rule.threshold} of {len(rule.approvers)}" for act, rule in governance.rules.items())
    return [("", f"Reserved to several: {', '.join(reserved)}.")]


def _debug(application: "VerifiedApplication") -> list[tuple[str, str]]:
    from sealmesh.attestation import runs_in_debug

    if not runs_in_debug(application.claims):
        return []
    return [("", "It runs in DEBUG mode: its host can read its memory.")]


def _enclave_ids(claims: "SingleClaims") -> dict[str, str]:
    from sealmesh.attestation import EnclaveClaims

    if not isinstance(claims, EnclaveClaims):
        return {}
    return {"uniqueId": claims.mr_enclave.hex(), "signerId": claims.mr_signer.hex()}


def _software(application: "VerifiedApplication") -> str:
    """Return the first words that tell the software apart: the UniqueID of an enclave."""
    from sealmesh.attestation import measurements_of

    claims = application.claims
    ids = _enclave_ids(claims)
    if ids:
        return f"UniqueID {ids['uniqueId']}"
    measured = ", ".join(
        f"{name} {value}"
        for name, value in measurements_of(claims).items()
        if isinstance(value, str) and value.strip("0")
    )
    return f"{application.evidence.family} with {measured}"


def _freshness(application: "VerifiedApplication", *, fresh: bool) -> str:
    if fresh:
        return "The statement was made for this check's nonce, so it is no replay."
    return f"It shows the application as of {application.time:%Y-%m-%d %H:%M:%S} UTC, not as it is now."


def _access(application: "VerifiedApplication") -> str:
    rules = application.manifest.access
    return (
        "any Marble may call any other"
        if rules is None
        else f"{len(rules)} access rules, all else is refused"
    )
