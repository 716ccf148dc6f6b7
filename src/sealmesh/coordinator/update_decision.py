"""A proposed manifest with one more acknowledgment: does it apply now, or wait on?"""

from dataclasses import dataclass

from sealmesh.coordinator import acts, places
from sealmesh.coordinator.api import UpdateReply
from sealmesh.coordinator.approvals import use_approvals
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.decision import Decision
from sealmesh.coordinator.pending_update import Missing, Pending, missing, update_standing
from sealmesh.coordinator.ports import Change
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.coordinator.secrets_update import Records
from sealmesh.coordinator.state import State
from sealmesh.coordinator.succession import Replacement, replaced
from sealmesh.coordinator.update_log import LogValue, absent, log_line, next_lines
from sealmesh.errors import SealmeshError
from sealmesh.manifest import fingerprint, parse_manifest

#: What an update comes to; an error is one that was committed: the update was dropped and logged.
Outcome = UpdateReply | SealmeshError


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One user's step towards an update.

    Attributes:
        before: Lines of the log that come first.
    """

    act: str
    event: str
    user: str
    pending: Pending
    before: tuple[bytes, ...] = ()


def take_step(step: Step, state: State, context: Context) -> Decision[Outcome]:
    """Return the decision that `step` comes to: applied, dropped because it failed, or waiting on."""
    needed = missing(step.pending, state, context)
    if needed.count:
        return _waiting(step, needed, state, context)
    lenient = context.settings.relaxed(Relaxation.LENIENT_MANIFEST)
    try:
        after = parse_manifest(step.pending.raw, lenient=lenient)
        replacement = replaced(step.pending.raw, after, state, context)
    except SealmeshError as error:
        return _dropped(step, needed, error, state, context)
    return _applied(step, needed, replacement, state, context)


def _waiting(step: Step, needed: Missing, state: State, context: Context) -> Decision[Outcome]:
    return Decision(
        reply=UpdateReply(applied=False, missing_acknowledgments=needed.count, missing_users=needed.users),
        change=_change(
            step,
            needed,
            state,
            context,
            records={places.PENDING: step.pending.to_bytes()},
            lines=[_step_line(step, needed, context)],
        ),
    )


def _applied(
    step: Step, needed: Missing, replacement: Replacement, state: State, context: Context
) -> Decision[Outcome]:
    digest = fingerprint(step.pending.raw)
    lines = [
        _step_line(step, needed, context),
        log_line(context.now, "manifest update applied", {"manifestFingerprint": digest}),
    ]
    stands = update_standing(step.pending, state, context)
    approved = use_approvals(stands, step.user, state, context)
    change = _change(
        step,
        needed,
        state,
        context,
        records={**replacement.records, places.PENDING: None},  # with it the epoch ends, and all approvals
        lines=[*approved.lines, *lines],
        leaves=(
            *approved.leaves,
            acts.manifest_updated(context.now, fingerprint=digest, intermediate=replacement.intermediate),
        ),
    )
    return Decision(
        reply=UpdateReply(applied=True, missing_acknowledgments=0),
        change=change,
        rekey=replacement.rekey,
    )


def _dropped(
    step: Step, needed: Missing, error: SealmeshError, state: State, context: Context
) -> Decision[Outcome]:
    digest = fingerprint(step.pending.raw)
    lines = [
        _step_line(step, needed, context),
        log_line(context.now, f"update dropped: {error.code}", {"manifestFingerprint": digest}),
    ]
    leaf = acts.update_act(context.now, "dropped", user=step.user, manifest=digest, missing=0)
    return Decision(
        reply=error,
        change=_change(
            step, needed, state, context, records={places.PENDING: None}, lines=lines, leaves=(leaf,)
        ),
    )


def _step_line(step: Step, needed: Missing, context: Context) -> bytes:
    fields: dict[str, LogValue] = {"user": step.user}
    if needed.count or step.act != "proposed":
        fields |= {"missingAcknowledgments": needed.count, "missingUsers": list(needed.users)}
    fields["manifestFingerprint"] = fingerprint(step.pending.raw)
    return log_line(context.now, step.event, fields)


def _change(
    step: Step,
    needed: Missing,
    state: State,
    context: Context,
    *,
    records: Records,
    lines: list[bytes],
    leaves: tuple[bytes, ...] = (),
) -> Change:
    log = next_lines(state, [*step.before, *lines])
    digest = fingerprint(step.pending.raw)
    taken = acts.update_act(context.now, step.act, user=step.user, manifest=digest, missing=needed.count)
    return Change(
        puts={**records, **log},
        expects={**update_expectations(state), **absent(log)},
        appends=(taken, *leaves),
    )


def update_expectations(state: State) -> dict[str, int]:
    """Return the records that every step of an update rests on: manifest, authority, what is pending, and
    all secrets, because a secret that is uploaded meanwhile must not be lost.
    """
    secrets = (places.secret(name) for name in state.running.manifest.secrets)
    keys = (
        places.MANIFEST,
        places.AUTHORITY,
        places.ROOT_SECRET,
        places.PENDING,
        places.EPOCH,
        *secrets,
    )
    return {key: state.shelves.version_of(key) for key in keys}
