"""A user reads shared or user-defined secrets."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.coordinator import acts, places
from sealmesh.coordinator.api import PeerChain, SecretReply
from sealmesh.coordinator.approvals import reading_subject, refuse_unapproved, standing, use_approvals
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.secret_values import kept_secret
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_log import absent, next_lines
from sealmesh.coordinator.user_caller import authenticated_user, authorize
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import PermissionRefused, UnknownSecret
from sealmesh.manifest import Action, GovernedAct, Manifest, ResourceType, SecretDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSecrets:
    """Read these secrets as the user of this connection."""

    names: tuple[str, ...]
    chain: PeerChain


def decide(
    command: ReadSecrets, state: State, context: Context
) -> Decision[Mapping[str, SecretReply] | SealmeshError]:
    """Return the secrets; who read them is in the ledger before they leave. Approvals are for one reading.

    Raises:
        UserUnauthenticated, UnknownSecret, PermissionRefused: In this order.
    """
    caller = authenticated_user(command.chain, state, context.settings)
    move(state.phase, Act.ACCESS_SECRETS)
    manifest = state.running.manifest
    for name in command.names:
        _check_readable(name, manifest)
    authorize(caller, manifest, ResourceType.SECRETS, Action.READ_SECRET, frozenset(command.names))
    stands = standing(GovernedAct.READ_SECRETS, reading_subject(caller.name, command.names), state, context)
    if stands.missing:
        return refuse_unapproved(stands, caller.name, state, context)
    approved = use_approvals(stands, caller.name, state, context)
    log = next_lines(state, approved.lines)
    return Decision(
        reply={name: _reply(name, manifest.secrets[name], state) for name in command.names},
        change=Change(
            puts={**approved.records, **log},
            expects={
                **_read(command.names, state),
                **approved.expects,
                **absent(log),
            },
            appends=(
                *approved.leaves,
                acts.secrets_read(context.now, user=caller.name, names=command.names),
            ),
        ),
    )


def _read(names: tuple[str, ...], state: State) -> dict[str, int]:
    """Return what the reply rests on: a value that changes before it is in the ledger is read again."""
    keys = (places.MANIFEST, *map(places.secret, names))
    return {key: state.shelves.version_of(key) for key in keys}


def _check_readable(name: str, manifest: Manifest) -> None:
    definition = manifest.secrets.get(name)
    if definition is None:
        raise UnknownSecret(f"the manifest has no secret `{name}`")
    if not (definition.shared or definition.user_defined):
        raise PermissionRefused(
            f"`{name}` is private to each Marble", code="private-secret", wanted="a shared or uploaded secret"
        )


def _reply(name: str, definition: SecretDefinition, state: State) -> SecretReply:
    secret = kept_secret(name, definition, state)
    is_set = state.shelves.value(places.secret(name)) is not None
    keep_empty = is_set and not definition.type.is_certificate
    return SecretReply(
        type=secret.type.value,
        size=secret.size,
        shared=secret.shared,
        user_defined=secret.user_defined,
        certificate=secret.cert,
        valid_for=secret.valid_for,
        private=secret.private if secret.private or keep_empty else None,
        public=secret.public if secret.public or keep_empty else None,
    )
