"""Users, roles and recovery keys: certificates are unique, roles and resources exist."""

from collections.abc import Mapping

from sealmesh.manifest.limits import MIN_RSA_BITS, MIN_RSA_BITS_LENIENT
from sealmesh.manifest.model import Action, Manifest, ResourceType, Role, SecretDefinition
from sealmesh.manifest.reading.view import Reading
from sealmesh.manifest.report import Path, listing, quoted, suggest

_ACTIONS: dict[ResourceType, frozenset[Action]] = {
    ResourceType.PACKAGES: frozenset({Action.UPDATE_SECURITY_VERSION}),
    ResourceType.SECRETS: frozenset({Action.READ_SECRET, Action.WRITE_SECRET}),
    ResourceType.MANIFEST: frozenset({Action.UPDATE_MANIFEST}),
}


def check_users(reading: Reading, manifest: Manifest) -> None:
    """Check that users differ and that their roles exist."""
    seen: dict[bytes, str] = {}
    for name, user in manifest.users.items():
        first = seen.setdefault(user.der, name)
        if first != name:
            reading.report.add(
                "user.same-certificate",
                ("Users", name, "Certificate"),
                f"The user {quoted(first)} has the same certificate.",
                remedy="Users are told apart by their certificates: give each an own one.",
            )
        for index, role in enumerate(user.roles):
            if not reading.exists("Roles", role, manifest.roles):
                reading.report.add(
                    "user.unknown-role",
                    ("Users", name, "Roles", index),
                    f"There is no role {quoted(role)}.",
                    remedy=suggest(role, manifest.roles),
                )


def check_roles(reading: Reading, manifest: Manifest) -> None:
    """Check that a role's resources exist and that its actions suit them."""
    for name, role in manifest.roles.items():
        path = ("Roles", name)
        if not reading.sound("Roles", name):
            continue
        for index, action in enumerate(role.actions):
            if action not in _ACTIONS[role.resource_type]:
                reading.report.add(
                    "role.wrong-action",
                    (*path, "Actions", index),
                    f"{action} is nothing that can be done to {role.resource_type}.",
                    remedy=f"Possible: {listing(_ACTIONS[role.resource_type])}.",
                )
        match role.resource_type:
            case ResourceType.MANIFEST:
                _check_manifest_role(reading, role, path)
            case ResourceType.PACKAGES:
                _check_exist(reading, role, manifest.packages, path)
            case ResourceType.SECRETS:
                _check_exist(reading, role, manifest.secrets, path)
                _check_secret_role(reading, manifest, role, path)


def _check_manifest_role(reading: Reading, role: Role, path: Path) -> None:
    if role.resource_names:
        reading.report.add(
            "role.manifest-with-names",
            (*path, "ResourceNames"),
            "There is one manifest only; a role on it names no resources.",
            remedy="Leave ResourceNames out.",
        )


def _check_exist(reading: Reading, role: Role, known: Mapping[str, object], path: Path) -> None:
    for index, name in enumerate(role.resource_names):
        if not reading.exists(str(role.resource_type), name, known):
            reading.report.add(
                "role.unknown-resource",
                (*path, "ResourceNames", index),
                f"There is no {role.resource_type.lower().rstrip('s')} {quoted(name)}.",
                remedy=suggest(name, known),
            )


def _check_secret_role(reading: Reading, manifest: Manifest, role: Role, path: Path) -> None:
    for index, name in enumerate(role.resource_names):
        secret = manifest.secrets.get(name)
        if secret is not None:
            _check_secret_action(reading, role, secret, (*path, "ResourceNames", index))


def _check_secret_action(reading: Reading, role: Role, secret: SecretDefinition, path: Path) -> None:
    if Action.WRITE_SECRET in role.actions and not secret.user_defined:
        reading.report.add(
            "role.writes-generated-secret",
            path,
            "A generated secret cannot be written.",
            remedy="Make the secret UserDefined, or take it out of the role.",
        )
    if Action.READ_SECRET in role.actions and not secret.shared and not secret.user_defined:
        reading.report.add(
            "role.reads-private-secret",
            path,
            "Each Marble has its own value of this secret, so that there is none to read.",
            remedy="Make the secret Shared, or take it out of the role.",
        )


def check_recovery_keys(reading: Reading, manifest: Manifest) -> None:
    """Check that recovery keys are strong enough to guard the state's key."""
    least = MIN_RSA_BITS_LENIENT if reading.lenient else MIN_RSA_BITS
    for name, key in manifest.recovery_keys.items():
        if key.public_key.key_size < least:
            reading.report.add(
                "recovery-key.weak",
                ("RecoveryKeys", name),
                f"An RSA key of {key.public_key.key_size} bits is weak; at least {least} are wanted.",
                remedy="Make one with 3072 bits: it guards everything that is sealed.",
            )
