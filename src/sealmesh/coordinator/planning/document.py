"""A plan as JSON."""

from sealmesh.coordinator.planning.plan import Plan
from sealmesh.ledger.canonical import Json
from sealmesh.manifest import PortRange
from sealmesh.manifest.diff import Changes, Edge


def plan_document(plan: Plan) -> dict[str, Json]:
    """Return the plan; keys are those of `docs/tasks/plan.md`."""
    changes, consents = plan.changes, plan.consents
    return {
        "fingerprint": plan.fingerprint,
        "packageUpdate": plan.package_update,
        "refused": list(plan.refused),
        "edges": {
            "opened": [_edge(edge) for edge in changes.opened],
            "closed": [_edge(edge) for edge in changes.closed],
        },
        "cannotStart": [
            {"marble": item.marble, "code": item.code, "reason": item.reason} for item in plan.obstacles
        ],
        "secrets": {name: str(fate) for name, fate in changes.secrets.items()},
        "certificates": {
            "root": "kept",
            "intermediate": "reissued",
            "marbleRoot": "reissued",
            "secrets": list(plan.reissued),
        },
        "newRecoverySecrets": plan.new_recovery_secrets,
        "changed": {
            "packages": _changes(changes.packages),
            "marbles": _changes(changes.marbles),
            "users": _changes(changes.users),
            "roles": _changes(changes.roles),
            "recoveryKeys": _changes(changes.recovery_keys),
            "tls": _changes(changes.tls),
            "infrastructures": _changes(changes.infrastructures),
            "config": list(changes.config),
        },
        "governance": {
            "rules": [
                {"act": str(rule.act), "before": rule.before, "after": rule.after, "weaker": rule.weaker}
                for rule in plan.rules
            ],
            "approvers": list(plan.approvers),
        },
        "needs": {
            "acknowledgments": consents.acknowledgments,
            "users": list(consents.users),
            "approvals": consents.approvals,
            "approvers": list(consents.approvers),
            "act": str(consents.act),
            "subject": consents.subject,
        },
    }


def ports_text(ports: tuple[PortRange, ...]) -> str:
    """Return ports as access rules write them."""
    return ", ".join(
        "*"
        if (item.first, item.last) == (1, 65535)
        else str(item.first)
        if item.first == item.last
        else f"{item.first}-{item.last}"
        for item in ports
    )


def _edge(edge: Edge) -> dict[str, Json]:
    return {"from": edge.caller, "to": edge.callee, "ports": ports_text(edge.ports)}


def _changes(changes: Changes) -> dict[str, Json]:
    return {
        "added": list(changes.added),
        "removed": list(changes.removed),
        "changed": list(changes.changed),
    }
