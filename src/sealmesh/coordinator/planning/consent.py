"""Who has to agree to an update, by the rules of the manifest in force."""

from dataclasses import dataclass

from sealmesh.coordinator.approvals import update_subject
from sealmesh.manifest import (
    Action,
    ApprovalRule,
    GovernedAct,
    Manifest,
    PackageUpdate,
    ResourceType,
)

_NONE = ApprovalRule(threshold=0, approvers=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents:
    """Acknowledgments by users, and signed approvals, both needed.

    Attributes:
        acknowledgments: How many users, the proposer among them.
        users: Who count; nobody else may propose.
        approvals: How many approvers; 0 where the manifest does not reserve it.
        subject: What they approve.
    """

    acknowledgments: int
    users: tuple[str, ...]
    act: GovernedAct
    approvals: int
    approvers: tuple[str, ...]
    subject: str


def manifest_consents(before: Manifest, raw: bytes) -> Consents:
    """Return what replacing the manifest by `raw` needs."""
    users = tuple(
        sorted(
            name
            for name, user in before.users.items()
            if any(before.roles[role].may_update_manifest for role in user.roles)
        )
    )
    needed = before.config.update_threshold or len(users)
    return _consents(before, raw, GovernedAct.UPDATE_MANIFEST, needed, users)


def package_consents(before: Manifest, raw: bytes, update: PackageUpdate) -> Consents:
    """Return what the package update `raw` needs: one user with a role on all its packages."""
    wanted = set(update.security_versions)
    users = tuple(sorted(name for name in before.users if wanted <= _packages(name, before)))
    return _consents(before, raw, GovernedAct.UPDATE_PACKAGES, 1, users)


def _packages(user: str, manifest: Manifest) -> set[str]:
    roles = (manifest.roles[name] for name in manifest.users[user].roles)
    return {
        name
        for role in roles
        if role.resource_type is ResourceType.PACKAGES and Action.UPDATE_SECURITY_VERSION in role.actions
        for name in role.resource_names
    }


def _consents(
    before: Manifest, raw: bytes, act: GovernedAct, needed: int, users: tuple[str, ...]
) -> Consents:
    rule = _NONE if before.governance is None else before.governance.rules.get(act, _NONE)
    return Consents(
        acknowledgments=needed,
        users=users,
        act=act,
        approvals=rule.threshold,
        approvers=rule.approvers,
        subject=update_subject(raw),
    )
