"""Which names a Marble's certificate may carry.

With `Names` in the manifest the certificate carries exactly those, whatever the request asks for: the host
that starts the Marble has no say. Without, it carries what the request asks for, unless a name belongs to
another Marble type: because it is that type's name, or because it is among, or a wildcard over, that type's
`Names`. MarbleRun lets the host choose any name (relaxation `insecure-host-names`).

Not checked: names that merely look like another's (`shop.default.svc` beside a type `shop`). A mesh that
relies on DNS names outside of sealmesh should list `Names`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.errors.coordinator import NameRefused
from sealmesh.manifest import Manifest, Marble
from sealmesh.pki import CertificateRequest, SubjectNames


@dataclass(frozen=True, slots=True, kw_only=True)
class NameOwners:
    """For every name that belongs to Marble types, which ones; DNS names in lower case, addresses as text."""

    by_name: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, manifest: Manifest) -> "NameOwners":
        """Return the owners of all names in `manifest`."""
        owners: dict[str, set[str]] = {}
        for marble_type, marble in manifest.marbles.items():
            for name in {marble_type.lower(), *_listed(marble)}:
                owners.setdefault(name, set()).add(marble_type)
        return cls(by_name={name: frozenset(types) for name, types in owners.items()})

    def other_owner(self, name: str, marble_type: str) -> str | None:
        """Return a type other than `marble_type` that owns `name`, if `marble_type` does not own it too."""
        if name.startswith("*"):
            matching = (types for one, types in self.by_name.items() if _covers(name, one))
            others = sorted(set().union(*matching) - {marble_type})
            return others[0] if others else None
        types = self.by_name.get(name, frozenset())
        return None if not types or marble_type in types else min(types)


def certificate_names(
    marble_type: str, marble: Marble, requested: CertificateRequest, owners: NameOwners, settings: Settings
) -> SubjectNames:
    """Return the names for a certificate of `marble_type` whose request asks for `requested`.

    Raises:
        NameRefused: A requested name belongs to another Marble type.
    """
    if marble.names is not None:
        return SubjectNames(dns=marble.names.dns, ips=marble.names.ips)
    if not settings.relaxed(Relaxation.INSECURE_HOST_NAMES):
        _refuse_names_of_others(marble_type, requested, owners)
    return SubjectNames(dns=requested.dns_names, ips=requested.ip_addresses)


def _refuse_names_of_others(marble_type: str, requested: CertificateRequest, owners: NameOwners) -> None:
    for name in (
        *(dns.lower().rstrip(".") for dns in requested.dns_names),
        *map(str, requested.ip_addresses),
    ):
        other = owners.other_owner(name, marble_type)
        if other is not None:
            raise NameRefused(
                f"the name `{name}` belongs to the Marble type `{other}`",
                found=f"a request of `{marble_type}` for it",
            )


def _listed(marble: Marble) -> tuple[str, ...]:
    return () if marble.names is None else (*marble.names.dns, *map(str, marble.names.ips))


def _covers(pattern: str, name: str) -> bool:
    if pattern.startswith("*."):
        return "." in name and name.split(".", 1)[1] == pattern[2:]
    return pattern == "*"
