"""A user uploads values of user-defined secrets, all or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.coordinator import acts, places
from sealmesh.coordinator.api import PeerChain, SecretUpload
from sealmesh.coordinator.approvals import (
    Mesh,
    refuse_unapproved,
    standing,
    use_approvals,
    writing_subject,
)
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_log import absent, log_line, next_lines
from sealmesh.coordinator.user_caller import authenticated_user, authorize
from sealmesh.errors import SealmeshError
from sealmesh.manifest import Action, GovernedAct, ResourceType
from sealmesh.provisioning import Upload, check_uploads, try_templates


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSecrets:
    """Set these secrets as the user of this connection."""

    uploads: Mapping[str, SecretUpload]
    chain: PeerChain


def decide(command: WriteSecrets, state: State, context: Context) -> Decision[SealmeshError | None]:
    """Set the secrets and log each.

    Raises:
        UserUnauthenticated: Nobody known.
        UploadRefused: A value breaks a rule.
        TemplateRefused: A template cannot take a value.
        PermissionRefused: The user may not write one of them. After the rest, as the contract has it.
    """
    caller = authenticated_user(command.chain, state, context.settings)
    move(state.phase, Act.ACCESS_SECRETS)
    manifest = state.running.manifest
    values = check_uploads(manifest, {name: _upload(item) for name, item in command.uploads.items()})
    try_templates(manifest, values)
    authorize(caller, manifest, ResourceType.SECRETS, Action.WRITE_SECRET, frozenset(values))
    stands = standing(GovernedAct.WRITE_SECRETS, _subject(command, state), state, context)
    if stands.missing:
        return refuse_unapproved(stands, caller.name, state, context)
    approved = use_approvals(stands, caller.name, state, context)
    log = next_lines(
        state,
        [
            *approved.lines,
            *(
                log_line(
                    context.now, "secret set", {"user": caller.name, "secret": name, "type": value.type.value}
                )
                for name, value in values.items()
            ),
        ],
    )
    return Decision(
        reply=None,
        change=Change(
            puts={
                **{places.secret(name): value.to_bytes() for name, value in values.items()},
                **approved.records,
                **log,
            },
            expects={
                places.MANIFEST: state.shelves.version_of(places.MANIFEST),
                **approved.expects,
                **absent(log),
            },
            appends=(
                *approved.leaves,
                acts.secrets_written(context.now, user=caller.name, names=tuple(values)),
            ),
        ),
    )


def _subject(command: WriteSecrets, state: State) -> str:
    """Return what has to be approved; nothing where that is not asked, because it costs time."""
    governance = state.running.manifest.governance
    if governance is None or GovernedAct.WRITE_SECRETS not in governance.rules:
        return ""
    return writing_subject(command.uploads, root=Mesh.of(state.authority.root_cert).root)


def _upload(upload: SecretUpload) -> Upload:
    return Upload(cert=upload.certificate or b"", private=upload.private or b"", key=upload.key or b"")
