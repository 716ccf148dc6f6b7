"""What changes when one manifest replaces another, in terms of what it does.

Secrets follow COMPAT section 10; edges are compared port by port.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from sealmesh.manifest.model import ANYONE, MESH, Manifest, PortRange, SecretDefinition, SecretType
from sealmesh.manifest.reach import edges

_T = TypeVar("_T")


class SecretFate(StrEnum):
    """What a full update does to a secret."""

    KEPT = "kept"
    REMADE = "remade"
    """A new value; `.Previous` has the one before."""
    RESET = "reset"
    """Another definition: a new value, and no previous one."""
    CREATED = "created"
    DROPPED = "dropped"
    AWAITS_UPLOAD = "awaits-upload"
    """User-defined and new or redefined: empty until somebody uploads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Names of things that came, went and changed, each sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Edge:
    """One caller, one callee, some ports."""

    caller: str
    callee: str
    ports: tuple[PortRange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestDiff:
    """All differences.

    Attributes:
        opened: Connections that become possible. `@mesh` and `@anyone` are compared as groups: where
            every Marble could call before, a rule for one type opens nothing.
        closed: Connections that are no longer possible; open ones have to end. Where a group becomes
            single types, the group is listed as closed.
        secrets: What happens to each secret of either manifest, by name.
        config: Names of changed settings, as the model spells them.
    """

    packages: Changes
    marbles: Changes
    users: Changes
    roles: Changes
    recovery_keys: Changes
    tls: Changes
    infrastructures: Changes
    opened: tuple[Edge, ...]
    closed: tuple[Edge, ...]
    secrets: Mapping[str, SecretFate]
    config: tuple[str, ...]

    @property
    def new_recovery_secrets(self) -> bool:
        """Whether old recovery shares become worthless (COMPAT section 10)."""
        return self.recovery_keys != Changes() or "recovery_threshold" in self.config


def diff(old: Manifest, new: Manifest) -> ManifestDiff:
    """Return what the update from `old` to `new` does."""
    before, after = edges(old), edges(new)
    return ManifestDiff(
        packages=_names(old.packages, new.packages),
        marbles=_names(old.marbles, new.marbles),
        users=_names(old.users, new.users),
        roles=_names(old.roles, new.roles),
        recovery_keys=_names(old.recovery_keys, new.recovery_keys),
        tls=_names(old.tls, new.tls),
        infrastructures=_names(old.infrastructures, new.infrastructures),
        opened=_gained(before, after),
        closed=_gained(after, before),
        secrets=_fates(old, new),
        config=_settings(old, new),
    )


def _names(old: Mapping[str, _T], new: Mapping[str, _T]) -> Changes:
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
    )


def _settings(old: Manifest, new: Manifest) -> tuple[str, ...]:
    readers: dict[str, Callable[[Manifest], object]] = {
        "seal_mode": lambda manifest: manifest.config.seal_mode,
        "feature_gates": lambda manifest: manifest.config.feature_gates,
        "update_threshold": lambda manifest: manifest.config.update_threshold,
        "recovery_threshold": recovery_threshold,
        "rotate_root_secret": lambda manifest: manifest.config.rotate_root_secret,
        "simulation": lambda manifest: manifest.simulation,
    }
    return tuple(name for name, read in readers.items() if read(old) != read(new))


def recovery_threshold(manifest: Manifest) -> int:
    """Return how many shares a recovery needs: 0 and the number of keys mean the same (COMPAT 10)."""
    return manifest.config.recovery_threshold or len(manifest.recovery_keys)


def _fates(old: Manifest, new: Manifest) -> dict[str, SecretFate]:
    fates = {}
    for name in sorted(old.secrets.keys() | new.secrets.keys()):
        before, after = old.secrets.get(name), new.secrets.get(name)
        fates[name] = (
            SecretFate.DROPPED
            if after is None
            else fate_of(before, after, rotate=new.config.rotate_root_secret)
        )
    return fates


def fate_of(before: SecretDefinition | None, after: SecretDefinition, *, rotate: bool) -> SecretFate:
    """Return what an update does to one secret (COMPAT section 10)."""
    same = before is not None and before.same_definition(after)
    if after.user_defined:
        return SecretFate.KEPT if same else SecretFate.AWAITS_UPLOAD
    if before is None:
        return SecretFate.CREATED
    if not same:
        return SecretFate.RESET
    if after.type is SecretType.SYMMETRIC_KEY and not rotate:
        return SecretFate.KEPT
    return SecretFate.REMADE


_Edges = Mapping[tuple[str, str], tuple[PortRange, ...]]


def _gained(before: _Edges, after: _Edges) -> tuple[Edge, ...]:
    gained = []
    for (caller, callee), ports in after.items():
        rest = ports
        for wider in _wider(caller):
            rest = _without(rest, before.get((wider, callee), ()))
        if rest:
            gained.append(Edge(caller=caller, callee=callee, ports=rest))
    return tuple(gained)


def _wider(caller: str) -> tuple[str, ...]:
    """Return the callers whose permission includes this caller's."""
    if caller == ANYONE:
        return (ANYONE,)
    return (MESH, ANYONE) if caller == MESH else (caller, MESH, ANYONE)


def _without(ports: tuple[PortRange, ...], taken: tuple[PortRange, ...]) -> tuple[PortRange, ...]:
    rest = list(ports)
    for hole in taken:
        rest = [piece for ports in rest for piece in _cut(ports, hole)]
    return tuple(rest)


def _cut(ports: PortRange, hole: PortRange) -> list[PortRange]:
    if hole.last < ports.first or ports.last < hole.first:
        return [ports]
    left = [PortRange(first=ports.first, last=hole.first - 1)] if ports.first < hole.first else []
    right = [PortRange(first=hole.last + 1, last=ports.last)] if hole.last < ports.last else []
    return left + right
