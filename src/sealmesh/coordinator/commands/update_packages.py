"""A package-only update: higher SecurityVersions, at once, by one user who may."""

from dataclasses import dataclass

from sealmesh.coordinator import acts, places
from sealmesh.coordinator.api import PeerChain, UpdateReply
from sealmesh.coordinator.approvals import (
    Authorized,
    epoch_ended,
    refuse_unapproved,
    standing,
    update_subject,
    use_approvals,
)
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.pending_update import find_pending
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.coordinator.secrets_update import renewed_certificates
from sealmesh.coordinator.state import State
from sealmesh.coordinator.succession import new_intermediate
from sealmesh.coordinator.update_decision import Outcome, update_expectations
from sealmesh.coordinator.update_log import LogValue, absent, log_line, next_lines
from sealmesh.coordinator.user_caller import authenticated_user, authorize
from sealmesh.errors.coordinator import UpdateRefused
from sealmesh.manifest import Action, GovernedAct, PackageUpdate, ResourceType, parse_package_update


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePackages:
    """Raise SecurityVersions as the user of this connection."""

    raw: bytes
    chain: PeerChain


def decide(command: UpdatePackages, state: State, context: Context) -> Decision[Outcome]:
    """Raise the versions, with a new intermediate and shared certificates under it.

    Raises:
        UserUnauthenticated: Nobody known.
        ManifestError: The document breaks a rule.
        UpdateRefused: A manifest update waits, a package is unknown, or a version would go down.
        PermissionRefused: The user may not for one of the packages.
    """
    caller = authenticated_user(command.chain, state, context.settings)
    move(state.phase, Act.UPDATE)
    update = parse_package_update(command.raw, lenient=context.settings.relaxed(Relaxation.LENIENT_MANIFEST))
    _check(update, state)
    packages = frozenset(update.security_versions)
    manifest = state.running.manifest
    authorize(caller, manifest, ResourceType.PACKAGES, Action.UPDATE_SECURITY_VERSION, packages)
    stands = standing(GovernedAct.UPDATE_PACKAGES, update_subject(command.raw), state, context)
    if stands.missing:
        return refuse_unapproved(stands, caller.name, state, context)
    approved = use_approvals(stands, caller.name, state, context)
    return Decision(
        reply=UpdateReply(applied=True, missing_acknowledgments=0),
        change=_change(caller.name, update, approved, state, context),
    )


def _check(update: PackageUpdate, state: State) -> None:
    if find_pending(state) is not None:
        raise UpdateRefused("a manifest update waits for acknowledgments", code="update-pending")
    for name, version in update.security_versions.items():
        if name not in state.running.manifest.packages:
            raise UpdateRefused(f"the manifest has no package `{name}`", code="unknown-package")
        if state.package(name).evidence is not None:
            raise UpdateRefused(
                f"the package `{name}` lists its forms of Evidence, which a package update cannot change",
                code="evidence-package",
                remedy="Send a full manifest with the new minimum versions.",
            )
        now = state.package(name).security_version
        if now is not None and version < now:
            raise UpdateRefused(
                f"the SecurityVersion of `{name}` would go down", found=version, wanted=f"at least {now}"
            )


def _change(user: str, update: PackageUpdate, approved: Authorized, state: State, context: Context) -> Change:
    authority = new_intermediate(state.authority, context)
    versions = update.security_versions
    lines = [_line(user, name, version, context) for name, version in versions.items()]
    log = next_lines(state, [*approved.lines, *lines])
    leaf = acts.packages_updated(
        context.now, user=user, versions=versions, intermediate=authority.intermediate_cert
    )
    return Change(
        puts={
            places.AUTHORITY: authority.to_bytes(),
            **{places.package_version(name): b"%d" % version for name, version in versions.items()},
            **renewed_certificates(state, authority, context),
            **approved.records,
            **(epoch_ended(state) if _raises(update, state) else {}),
            **log,
        },
        expects={
            **update_expectations(state),
            **{
                places.package_version(name): state.shelves.version_of(places.package_version(name))
                for name in versions
            },
            places.EPOCH: state.shelves.version_of(places.EPOCH),
            **approved.expects,
            **absent(log),
        },
        appends=(*approved.leaves, leaf),
    )


def _raises(update: PackageUpdate, state: State) -> bool:
    return any(
        version != state.package(name).security_version for name, version in update.security_versions.items()
    )


def _line(user: str, package: str, version: int, context: Context) -> bytes:
    fields: dict[str, LogValue] = {"user": user, "package": package, "new version": version}
    return log_line(context.now, "SecurityVersion increased", fields)
