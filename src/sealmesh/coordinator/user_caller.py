"""Who is the user at the other end of a connection, and what may he do?

A user is known by exact equality of a certificate of the presented chain with one in the manifest; neither
expiry nor chain is looked at (COMPAT section 3). That he holds its key is for TLS to prove, and it proves it
for the first certificate only. MarbleRun accepts a user's certificate anywhere in the chain, so that whoever
has read a manifest can be any of its users. Here a later one counts only if it issued the first, directly or
through those between, so that its key vouches for the caller's (relaxation `insecure-user-chain`); and where
the manifest has `Governance`, never.
"""

from dataclasses import dataclass
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from sealmesh.coordinator.api import PeerChain
from sealmesh.coordinator.context import Settings
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.coordinator.state import State
from sealmesh.errors.coordinator import PermissionRefused, UserUnauthenticated
from sealmesh.manifest import Action, Manifest, ResourceType
from sealmesh.pki.reading import UNREADABLE

#: Of one chain: each costs the check of a signature.
_MOST_CERTIFICATES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A user of the manifest in force."""

    name: str
    roles: tuple[str, ...]


def authenticated_user(chain: PeerChain, state: State, settings: Settings) -> Caller:
    """Return the user whose certificate is in `chain`.

    Raises:
        UserUnauthenticated: There is none, also when there is no manifest.
    """
    if state.in_force is not None:
        by_certificate = state.in_force.users_by_certificate
        for certificate in _proved(chain, state.in_force.manifest, settings):
            name = by_certificate.get(certificate)
            if name is not None:
                return Caller(name=name, roles=state.in_force.manifest.users[name].roles)
    raise UserUnauthenticated(
        "no certificate of the connection is a user's",
        found=f"{len(chain)} certificates" if chain else "no certificate",
    )


def _proved(chain: PeerChain, manifest: Manifest, settings: Settings) -> PeerChain:
    """Return the certificates that say who is calling."""
    if manifest.governance is not None:
        return chain[:1]
    if settings.relaxed(Relaxation.INSECURE_USER_CHAIN):
        return chain
    proved = chain[:1]
    for subject, issuer in pairwise(chain[:_MOST_CERTIFICATES]):
        if not _issued(subject, issuer):
            break
        proved = (*proved, issuer)
    return proved


def _issued(subject: bytes, issuer: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(subject).verify_directly_issued_by(
            x509.load_der_x509_certificate(issuer)
        )
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def authorize(
    caller: Caller, manifest: Manifest, kind: ResourceType, action: Action, resources: frozenset[str]
) -> None:
    """Let `caller` do `action` on all of `resources`.

    Raises:
        PermissionRefused: At least one of them is not covered by a role of his.
    """
    allowed: set[str] = set()
    for role in (manifest.roles[name] for name in caller.roles):
        if role.resource_type is kind and action in role.actions:
            allowed.update(role.resource_names)
    missing = sorted(resources - allowed)
    if missing:
        raise PermissionRefused(
            f"user `{caller.name}` may not do this",
            found=f"no role with {action.value} on {', '.join(missing)}",
            wanted=f"a role of {kind.value} with {action.value}",
        )


def authorize_manifest_update(caller: Caller, manifest: Manifest) -> None:
    """Let `caller` propose, acknowledge or cancel a manifest update.

    Raises:
        PermissionRefused: None of his roles has `UpdateManifest` as its first action (COMPAT section 8).
    """
    if not any(manifest.roles[name].may_update_manifest for name in caller.roles):
        raise PermissionRefused(
            f"user `{caller.name}` may not update the manifest",
            wanted="a role of Manifest with UpdateManifest",
        )
