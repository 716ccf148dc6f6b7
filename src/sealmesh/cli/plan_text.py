"""A plan as people read it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealmesh.coordinator.planning import Plan
    from sealmesh.manifest.diff import Changes, Edge

_FATES = {
    "kept": "kept",
    "remade": "a new value, the one before in .Previous",
    "reset": "another definition, a new value",
    "created": "new",
    "dropped": "deleted",
    "awaits-upload": "EMPTY until somebody uploads it",
}


def plan_text(plan: "Plan") -> str:
    """Return the plan, one paragraph for each kind of change that there is."""
    return "\n".join(_lines(plan))


def _lines(plan: "Plan") -> Iterator[str]:
    what = "package update" if plan.package_update else "manifest"
    yield f"The {what} {plan.fingerprint}"
    yield from _section("WOULD BE REFUSED", plan.refused)
    yield from _section("Opened", map(_edge, plan.changes.opened))
    yield from _section("Closed", map(_edge, plan.changes.closed))
    yield from _section("Could no longer start", (f"{item.marble}: {item.reason}" for item in plan.obstacles))
    yield from _section("Secrets", (f"{name}: {_FATES[fate]}" for name, fate in plan.changes.secrets.items()))
    yield from _section("Certificates", _certificates(plan))
    yield from _section("Changed", _changes(plan))
    yield from _section("Governance", _governance(plan))
    yield from _section("Needed", _needed(plan))


def _section(title: str, lines: "Iterator[str] | tuple[str, ...] | map[str]") -> Iterator[str]:
    found = tuple(lines)
    if found:
        yield ""
        yield f"{title}:"
        yield from (f"  {line}" for line in found)


def _edge(edge: "Edge") -> str:
    from sealmesh.coordinator.planning.document import ports_text

    return f"{edge.caller} -> {edge.callee} on {ports_text(edge.ports)}"


def _certificates(plan: "Plan") -> Iterator[str]:
    yield "root: kept"
    yield "intermediate and Marble root: new; Marbles get theirs when they renew or start"
    for name in plan.reissued:
        yield f"secret {name}: issued anew"


def _changes(plan: "Plan") -> Iterator[str]:
    changes = plan.changes
    for title, found in (
        ("packages", changes.packages),
        ("Marbles", changes.marbles),
        ("users", changes.users),
        ("roles", changes.roles),
        ("recovery keys", changes.recovery_keys),
        ("TLS tags", changes.tls),
        ("infrastructures", changes.infrastructures),
    ):
        yield from _named(title, found)
    if changes.config:
        yield f"settings: {', '.join(changes.config)}"
    if plan.new_recovery_secrets:
        yield "recovery secrets: new ones are given out, the old ones are worthless"


def _named(title: str, found: "Changes") -> Iterator[str]:
    for sign, names in (("+", found.added), ("-", found.removed), ("~", found.changed)):
        if names:
            yield f"{title}: {', '.join(f'{sign}{name}' for name in names)}"


def _governance(plan: "Plan") -> Iterator[str]:
    for rule in plan.rules:
        weaker = "  WEAKER" if rule.weaker else ""
        yield f"{rule.act}: {rule.before or 'not reserved'} -> {rule.after or 'not reserved'}{weaker}"
    if plan.approvers:
        yield f"approvers who come, go or get other keys: {', '.join(plan.approvers)}"


def _needed(plan: "Plan") -> Iterator[str]:
    needs = plan.consents
    users = ", ".join(needs.users) or "nobody"
    if plan.package_update:
        yield f"one user of: {users}"
    else:
        yield f"acknowledgments: {needs.acknowledgments} of {users}"
    if needs.approvals:
        yield f"approvals: {needs.approvals} of {', '.join(needs.approvers)}"
        yield f"  sealmesh approve make --act {needs.act} --subject {needs.subject}"
