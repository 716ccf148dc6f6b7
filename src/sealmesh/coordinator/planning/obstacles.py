"""Which Marbles that start today would no longer, or not yet, and why."""

from collections.abc import Iterator
from dataclasses import dataclass

from sealmesh.manifest import Manifest, Marble, Package, SecretFate
from sealmesh.provisioning import CompiledParameters

#: A list in the manifest replaces this (COMPAT section 5).
_DEFAULT_TCB = ("SWHardeningNeeded",)
_ALWAYS_ACCEPTED = "UpToDate"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Obstacle:
    """One reason why a Marble type that may start now may not any more.

    Attributes:
        code: `removed`, `package`, `version`, `tcb-status`, `advisories`, `simulation`, `limit`, `upload`.
    """

    marble: str
    code: str
    reason: str


def obstacles(
    before: Manifest, after: Manifest, *, compiled: CompiledParameters, fates: dict[str, SecretFate]
) -> Iterator[Obstacle]:
    """Yield every reason, for every Marble type of the manifest in force.

    Args:
        before: In force, with the SecurityVersions of package updates.
        after: What would be.
        compiled: The templates of `after`.
        fates: What would become of the secrets.
    """
    for name, marble in sorted(before.marbles.items()):
        if name not in after.marbles:
            yield Obstacle(marble=name, code="removed", reason="the manifest no longer has this type")
            continue
        later = after.marbles[name]
        old, new = before.packages[marble.package], after.packages[later.package]
        yield from _of_package(name, old, new)
        if before.simulation and not after.simulation:
            yield Obstacle(
                marble=name, code="simulation", reason="Evidence of simulated hardware is no longer accepted"
            )
        yield from _of_limit(name, marble, later)
        for secret in sorted(compiled.marble(name).needed):
            if fates.get(secret) is SecretFate.AWAITS_UPLOAD:
                yield Obstacle(
                    marble=name, code="upload", reason=f"until somebody uploads the secret {secret!r}"
                )


def _of_package(name: str, old: Package, new: Package) -> Iterator[Obstacle]:
    if old.evidence != new.evidence:
        yield Obstacle(
            marble=name,
            code="evidence",
            reason="with Evidence that meets none of the forms that the package accepts now",
        )
    elif _identity(old) != _identity(new):
        yield Obstacle(marble=name, code="package", reason="the package is other software now")
    elif (new.security_version or 0) > (old.security_version or 0):
        yield Obstacle(
            marble=name,
            code="version",
            reason=f"software with a SecurityVersion below {new.security_version}"
            f" (now: below {old.security_version or 0})",
        )
    gone = sorted(_statuses(old) - _statuses(new))
    if gone:
        yield Obstacle(marble=name, code="tcb-status", reason=f"on platforms that are {', '.join(gone)}")
    refused = _advisories_refused(old, new)
    if refused:
        yield Obstacle(marble=name, code="advisories", reason=refused)


def _identity(package: Package) -> tuple[object, ...]:
    return (
        package.debug,
        package.unique_id.lower(),
        package.signer_id.lower(),
        package.product_id,
    )


def _statuses(package: Package) -> set[str]:
    given = package.accepted_tcb_statuses
    return set(_DEFAULT_TCB if given is None else given) - {_ALWAYS_ACCEPTED}


def _advisories_refused(old: Package, new: Package) -> str:
    if new.accepted_advisories is None:
        return ""
    if old.accepted_advisories is None:
        return "on platforms with other advisories than the accepted ones"
    gone = sorted(set(old.accepted_advisories) - set(new.accepted_advisories))
    return f"on platforms with the advisories {', '.join(gone)}" if gone else ""


def _of_limit(name: str, old: Marble, new: Marble) -> Iterator[Obstacle]:
    if new.max_activations and (not old.max_activations or new.max_activations < old.max_activations):
        counted = "" if old.max_activations else "; activations are counted from then on"
        yield Obstacle(
            marble=name,
            code="limit",
            reason=f"once it was activated {new.max_activations} times{counted}",
        )
