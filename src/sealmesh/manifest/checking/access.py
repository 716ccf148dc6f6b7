"""Access rules: they name Marbles that exist."""

import json

from sealmesh.manifest.limits import (
    MAX_ACCESS_BYTES,
    MAX_ACCESS_CALLERS,
    MAX_ACCESS_RULES,
    MAX_PORT_RANGES,
)
from sealmesh.manifest.model import ANYONE, MESH, AccessRule, FeatureGate, Manifest
from sealmesh.manifest.reading.view import Reading
from sealmesh.manifest.report import Path, quoted, suggest


def check_access(reading: Reading, manifest: Manifest) -> None:
    """Check the rules, and that the gate and the rules come together."""
    gated = FeatureGate.ACCESS in reading.gates
    if gated:
        _check_types(reading, manifest)
    if manifest.access is None:
        if gated:
            reading.report.add(
                "access.none",
                (),
                "The feature gate 'Access' is on, and there are no rules.",
                remedy='Write "Access": [] if nobody may call anybody, or take the gate away.',
            )
        return
    _check_bounds(reading, manifest.access)
    for index, rule in enumerate(manifest.access):
        path = ("Access", index)
        for at, caller in enumerate(rule.from_):
            _check_type(reading, manifest, caller, (MESH, ANYONE), (*path, "From", at))
        if rule.to:
            _check_type(reading, manifest, rule.to, (MESH,), (*path, "To"))


def _check_bounds(reading: Reading, rules: tuple[AccessRule, ...]) -> None:
    callers = sum(len(rule.from_) for rule in rules)
    if len(rules) > MAX_ACCESS_RULES or callers > MAX_ACCESS_CALLERS:
        reading.report.add(
            "access.too-many",
            ("Access",),
            f"There are at most {MAX_ACCESS_RULES} rules with {MAX_ACCESS_CALLERS} callers in all.",
        )
    elif sum(_size(rule) for rule in rules) > MAX_ACCESS_BYTES:
        reading.report.add(
            "access.too-large",
            ("Access",),
            f"All rules as JSON have at most {MAX_ACCESS_BYTES} bytes: they travel in one message.",
            remedy="Join rules with the same callee, or use shorter names.",
        )
    for index, rule in enumerate(rules):
        if len(rule.ports) > MAX_PORT_RANGES:
            path = ("Access", index, "Ports")
            reading.report.add("access.too-many", path, f"A rule has at most {MAX_PORT_RANGES} ranges.")


def _size(rule: AccessRule) -> int:
    names = sum(len(json.dumps(name)) + 1 for name in (*rule.from_, rule.to))
    return 32 + names + 14 * len(rule.ports)


def _check_types(reading: Reading, manifest: Manifest) -> None:
    for name in manifest.marbles:
        if name.startswith("@"):
            reading.report.add(
                "access.reserved-type",
                ("Marbles", name),
                "Names that begin with '@' mean something else in access rules.",
                remedy="Call the Marble otherwise.",
            )


def _check_type(
    reading: Reading, manifest: Manifest, name: str, special: tuple[str, ...], path: Path
) -> None:
    if name in special or (reading.exists("Marbles", name, manifest.marbles) and not name.startswith("@")):
        return
    if name == ANYONE:
        message, remedy = "'@anyone' calls, it cannot be called.", "Name a Marble type, or '@mesh'."
    else:
        message, remedy = (
            f"There is no Marble type {quoted(name)}.",
            suggest(name, [*manifest.marbles, *special]),
        )
    reading.report.add("access.unknown-type", path, message, remedy=remedy)
