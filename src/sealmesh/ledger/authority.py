"""Who may do what in an application, drawn from its manifest: the part of the statement people read.

It adds nothing to the manifest. The verifier draws it again and refuses a statement whose summary
says something else than its manifest.
"""

import hashlib

from sealmesh.attestation import AllOf, Reference
from sealmesh.ledger.canonical import Json
from sealmesh.manifest import Governance, Manifest
from sealmesh.manifest.model import AccessRule, Package, PortRange, Role, User


def summarize_authority(manifest: Manifest) -> dict[str, Json]:
    """Return users with their grants, thresholds, recovery keys, Marbles and access rules.

    `access` is null where the manifest has no rules, so that any Marble may call any other. `governance` is
    there only where the manifest reserves something.
    """
    config = manifest.config
    summary: dict[str, Json] = {
        "users": {name: _user(user, manifest) for name, user in manifest.users.items()},
        "updateThreshold": config.update_threshold,
        "recoveryKeys": {name: _sha256(key.der) for name, key in manifest.recovery_keys.items()},
        "recoveryThreshold": config.recovery_threshold,
        "sealMode": str(config.seal_mode) or "ProductKey",
        "marbles": {
            name: {"package": marble.package, "maxActivations": marble.max_activations}
            for name, marble in manifest.marbles.items()
        },
        "packages": {name: _package(package) for name, package in manifest.packages.items()},
        "access": None if manifest.access is None else [_rule(rule) for rule in manifest.access],
        "simulation": manifest.simulation,
    }
    if manifest.governance is not None:
        summary["governance"] = _governance(manifest.governance)
    return summary


def _governance(governance: Governance) -> dict[str, Json]:
    return {
        "approvers": {
            name: [_sha256(key) for key in approver.keys] for name, approver in governance.approvers.items()
        },
        "rules": {
            str(act): {"threshold": rule.threshold, "approvers": list(rule.approvers)}
            for act, rule in governance.rules.items()
        },
    }


def _user(user: User, manifest: Manifest) -> dict[str, Json]:
    grants = [_grant(name, manifest.roles[name]) for name in user.roles]
    return {"certificateSha256": _sha256(user.der), "grants": grants}


def _grant(name: str, role: Role) -> dict[str, Json]:
    return {
        "role": name,
        "resourceType": str(role.resource_type),
        "resourceNames": list(role.resource_names),
        "actions": [str(action) for action in role.actions],
    }


def _package(package: Package) -> dict[str, Json]:
    if package.evidence is not None:
        return {"evidence": [_form(reference) for reference in package.evidence]}
    return {
        "uniqueId": package.unique_id.lower() or None,
        "signerId": package.signer_id.lower() or None,
        "productId": package.product_id,
        "securityVersion": package.security_version,
        "debug": package.debug,
    }


def _form(reference: Reference) -> Json:
    """Return the family and whether it must be a debug one; the values stand in the manifest."""
    parts: list[Json] = [_form(part) for part in reference.parts] if isinstance(reference, AllOf) else []
    form: dict[str, Json] = {
        "family": str(reference.family),
        "debug": bool(getattr(reference, "debug", False)),
    }
    return {**form, "parts": parts} if parts else form


def _rule(rule: AccessRule) -> dict[str, Json]:
    return {"from": list(rule.from_), "to": rule.to, "ports": [_ports(ports) for ports in rule.ports]}


def _ports(ports: PortRange) -> str:
    return str(ports.first) if ports.first == ports.last else f"{ports.first}-{ports.last}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
