"""Propose a manifest in place of the one in force; it applies at once where nobody else has to agree."""

from dataclasses import dataclass

from sealmesh.coordinator.api import PeerChain
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.pending_update import Pending, find_pending, update_standing
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.coordinator.state import State
from sealmesh.coordinator.update_decision import Outcome, Step, take_step
from sealmesh.coordinator.update_log import log_line
from sealmesh.coordinator.user_caller import authenticated_user, authorize_manifest_update
from sealmesh.errors.coordinator import UpdateRefused
from sealmesh.manifest import fingerprint, parse_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeUpdate:
    """Propose these bytes as the user of this connection."""

    raw: bytes
    chain: PeerChain


def decide(command: ProposeUpdate, state: State, context: Context) -> Decision[Outcome]:
    """Apply the manifest, or let it wait for others.

    Raises:
        UserUnauthenticated: Nobody known.
        PermissionRefused: The user may not update the manifest.
        UpdateRefused: Another one waits already, and this is not an approved one before an unapproved one.
        ManifestError: The document breaks a rule.
    """
    caller = authenticated_user(command.chain, state, context.settings)
    move(state.phase, Act.UPDATE)
    authorize_manifest_update(caller, state.running.manifest)
    waiting = find_pending(state)
    if waiting is not None and not _goes_first(command.raw, waiting, state, context):
        raise UpdateRefused(
            "another manifest update waits for acknowledgments",
            code="update-pending",
            remedy="Acknowledge or cancel it first.",
        )
    parse_manifest(command.raw, lenient=context.settings.relaxed(Relaxation.LENIENT_MANIFEST))
    step = Step(
        act="proposed",
        event="manifest update proposed",
        user=caller.name,
        pending=Pending(raw=command.raw, users=(caller.name,)),
        before=() if waiting is None else (_displaced(caller.name, waiting, context),),
    )
    return take_step(step, state, context)


def _goes_first(raw: bytes, waiting: Pending, state: State, context: Context) -> bool:
    """Tell whether enough have approved `raw` and not what waits: one insider cannot be in their way."""
    approved = update_standing(Pending(raw=raw, users=()), state, context)
    return (
        approved.rule.threshold > 0
        and not approved.missing
        and update_standing(waiting, state, context).missing > 0
    )


def _displaced(user: str, waiting: Pending, context: Context) -> bytes:
    fields = {"user": user, "manifestFingerprint": fingerprint(waiting.raw)}
    return log_line(context.now, "manifest update displaced by an approved one", fields)
