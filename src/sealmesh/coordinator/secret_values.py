"""The values of the manifest's secrets: where they are kept, and how those that are not kept are made.

Shared generated secrets are made once and kept; private keys are derived whenever they are needed; private
certificates are made whenever they are needed; user-defined secrets are kept once they were uploaded.
"""

from dataclasses import dataclass
from uuid import UUID

from sealmesh.coordinator import places
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.state import State
from sealmesh.errors.coordinator import StateCorrupt
from sealmesh.manifest import Manifest, SecretDefinition, SecretType
from sealmesh.pki import Authority
from sealmesh.provisioning import (
    Secret,
    derive_private_key,
    generate_certificate,
    generate_shared_key,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The Marble that private secrets are made for."""

    marble_type: str
    uuid: UUID
    disable_binding: bool


def is_kept(definition: SecretDefinition) -> bool:
    """Tell whether the value is in the store (for a user-defined one: once it was uploaded)."""
    return definition.shared or definition.user_defined


def new_shared_secrets(manifest: Manifest, authority: Authority, context: Context) -> dict[str, bytes | None]:
    """Return the records of all shared secrets that are generated, freshly made."""
    return {
        places.secret(name): shared_secret(name, definition, authority, context).to_bytes()
        for name, definition in manifest.secrets.items()
        if definition.shared and not definition.user_defined
    }


def shared_secret(name: str, definition: SecretDefinition, authority: Authority, context: Context) -> Secret:
    """Return a fresh value of a generated secret that is not derived.

    Raises:
        SecretNotGenerated: The definition cannot be made into one.
    """
    if definition.type is SecretType.SYMMETRIC_KEY:
        return generate_shared_key(definition, name, entropy=context.entropy)
    return generate_certificate(
        definition,
        name,
        authority=authority,
        keys=context.keys,
        now=context.now,
        serial=context.serial(),
        simulation=authority.simulation,
    )


def secret_for(name: str, owner: Owner, state: State, context: Context) -> Secret:
    """Return the value of the secret `name` as `owner` gets it."""
    definition = state.running.manifest.secrets[name]
    if is_kept(definition):
        return kept_secret(name, definition, state)
    return _private(name, definition, owner, state, context, root_secret=state.root_secret())


def has_previous(name: str, state: State) -> bool:
    """Tell whether `.Previous` of the secret `name` can be another value than the present one."""
    definition = state.running.manifest.secrets[name]
    if is_kept(definition):
        return True
    return definition.type is SecretType.SYMMETRIC_KEY and state.previous_root_secret() != state.root_secret()


def previous_secret_for(name: str, owner: Owner, state: State, context: Context) -> Secret:
    """Return what the secret `name` was for `owner` before the last update; the present value if the same.

    A user-defined secret has none and stays unset (COMPAT section 10).
    """
    definition = state.running.manifest.secrets[name]
    if definition.user_defined:
        return Secret.unset(definition)
    if definition.shared:
        kept = state.shelves.value(places.previous_secret(name))
        return kept_secret(name, definition, state) if kept is None else Secret.from_bytes(kept)
    # A private key that came or changed with an update has a mark here: it was never another one.
    marked = state.shelves.value(places.previous_secret(name)) is not None
    root_secret = state.root_secret() if marked else state.previous_root_secret()
    return _private(name, definition, owner, state, context, root_secret=root_secret)


def kept_secret(name: str, definition: SecretDefinition, state: State) -> Secret:
    """Return the value in the store; an unset one for a user-defined secret that was never uploaded.

    Raises:
        StateCorrupt: A generated secret is not there.
    """
    kept = state.shelves.value(places.secret(name))
    if kept is not None:
        return Secret.from_bytes(kept)
    if definition.user_defined:
        return Secret.unset(definition)
    raise StateCorrupt("a generated secret is missing", found=name)


def _private(
    name: str,
    definition: SecretDefinition,
    owner: Owner,
    state: State,
    context: Context,
    *,
    root_secret: bytes,
) -> Secret:
    if definition.type is not SecretType.SYMMETRIC_KEY:
        return shared_secret(name, definition, state.authority, context)
    return derive_private_key(
        definition,
        name,
        root_secret=root_secret,
        uuid=owner.uuid,
        marble_type=owner.marble_type,
        disable_binding=owner.disable_binding,
    )
