"""The plan of one update."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType

from sealmesh.coordinator.planning.consent import Consents, manifest_consents, package_consents
from sealmesh.coordinator.planning.obstacles import Obstacle, obstacles
from sealmesh.coordinator.succession import sealed_otherwise
from sealmesh.manifest import (
    GovernedAct,
    Manifest,
    ManifestDiff,
    PackageUpdate,
    SealMode,
    SecretFate,
    diff,
    fingerprint,
    is_package_update,
    parse_manifest,
    parse_package_update,
)
from sealmesh.provisioning import compile_parameters, try_templates


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """A threshold of `Governance` that would be another one; 0 where there is no rule."""

    act: GovernedAct
    before: int
    after: int

    @property
    def weaker(self) -> bool:
        """Whether fewer could do it then."""
        return self.after < self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an update would do.

    Attributes:
        fingerprint: Of the document.
        package_update: It only raises SecurityVersions: the manifest's bytes stay.
        refused: Why the Coordinator would refuse it although it is well-formed; empty if it would not.
        changes: Edges, secrets and names.
        obstacles: Who could no longer start.
        reissued: Certificate secrets with a new certificate. The intermediate and the Marble root are always
            new, the root never; running Marbles get new certificates when they renew.
        new_recovery_secrets: The state gets a new key, and the owners new shares; the old ones are worthless.
        rules: Thresholds of `Governance` that change.
        approvers: Names of approvers that come, go, or get other keys.
    """

    fingerprint: str
    package_update: bool
    refused: tuple[str, ...]
    changes: ManifestDiff
    obstacles: tuple[Obstacle, ...]
    reissued: tuple[str, ...]
    new_recovery_secrets: bool
    rules: tuple[RuleChange, ...]
    approvers: tuple[str, ...]
    consents: Consents


def plan_update(before: Manifest, raw: bytes, *, lenient: bool = False) -> Plan:
    """Return what putting `raw` in force would do to a mesh under `before`.

    Args:
        before: In force, with the SecurityVersions that package updates gave its packages.
        raw: A manifest or a package update, JSON.
        lenient: As in `parse_manifest`.

    Raises:
        ManifestError: The document breaks a rule; all violations are named.
        TemplateRefused: A template fails with placeholder values.
    """
    if is_package_update(raw):
        return _package_plan(before, raw, parse_package_update(raw, lenient=lenient))
    after = parse_manifest(raw, lenient=lenient)
    try_templates(after)
    return _plan(
        before, after, raw, refused=tuple(_sealing(before, after)), consents=manifest_consents(before, raw)
    )


def _package_plan(before: Manifest, raw: bytes, update: PackageUpdate) -> Plan:
    known = {name: version for name, version in update.security_versions.items() if name in before.packages}
    packages = {
        name: replace(package, security_version=known.get(name, package.security_version))
        for name, package in before.packages.items()
    }
    after = replace(before, packages=MappingProxyType(packages))
    plan = _plan(
        before,
        after,
        raw,
        refused=tuple(_versions(before, update)),
        consents=package_consents(before, raw, update),
    )
    kept = {
        name: SecretFate.REMADE
        if secret.shared and secret.type.is_certificate and not secret.user_defined
        else SecretFate.KEPT
        for name, secret in before.secrets.items()
    }
    changes = replace(plan.changes, secrets=kept)
    return replace(plan, package_update=True, changes=changes, reissued=_reissued(before, changes))


def _plan(
    before: Manifest, after: Manifest, raw: bytes, *, refused: tuple[str, ...], consents: Consents
) -> Plan:
    changes = diff(before, after)
    return Plan(
        fingerprint=fingerprint(raw),
        package_update=False,
        refused=refused,
        changes=changes,
        obstacles=tuple(
            obstacles(before, after, compiled=compile_parameters(after), fates=dict(changes.secrets))
        ),
        reissued=_reissued(after, changes),
        new_recovery_secrets=bool(after.recovery_keys) and sealed_otherwise(before, after),
        rules=tuple(_rules(before, after)),
        approvers=_approvers(before, after),
        consents=consents,
    )


def _reissued(after: Manifest, changes: ManifestDiff) -> tuple[str, ...]:
    anew = {SecretFate.REMADE, SecretFate.RESET}
    return tuple(
        name
        for name, fate in changes.secrets.items()
        if fate in anew and after.secrets[name].shared and after.secrets[name].type.is_certificate
    )


def _sealing(before: Manifest, after: Manifest) -> Iterator[str]:
    modes = (before.config.seal_mode, after.config.seal_mode)
    if modes.count(SealMode.DISABLED) == 1:
        yield f"an update cannot begin or end sealing: SealMode {modes[0]!s}, then {modes[1]!s}"


def _versions(before: Manifest, update: PackageUpdate) -> Iterator[str]:
    for name, version in update.security_versions.items():
        package = before.packages.get(name)
        if package is None:
            yield f"the manifest has no package {name!r}"
        elif package.evidence is not None:
            yield f"the package {name!r} lists its forms of Evidence, which a package update cannot change"
        elif package.security_version is not None and version < package.security_version:
            now = package.security_version
            yield f"the SecurityVersion of {name!r} would go down from {now} to {version}"


def _rules(before: Manifest, after: Manifest) -> Iterator[RuleChange]:
    for act in GovernedAct:
        change = RuleChange(act=act, before=_threshold(before, act), after=_threshold(after, act))
        if change.before != change.after:
            yield change


def _threshold(manifest: Manifest, act: GovernedAct) -> int:
    if manifest.governance is None or act not in manifest.governance.rules:
        return 0
    return manifest.governance.rules[act].threshold


def _approvers(before: Manifest, after: Manifest) -> tuple[str, ...]:
    old, new = (
        {} if manifest.governance is None else dict(manifest.governance.approvers)
        for manifest in (before, after)
    )
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))
