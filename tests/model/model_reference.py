"""The reference: what a Coordinator is, in as few words as possible.

`apply(model, command)` returns the next model and what the caller sees. No time, no keys, no certificates, no
storage: only what operators and Marbles can observe, and what the update log and the ledger say about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from model_commands import (
    Acknowledge,
    Activate,
    Cancel,
    Command,
    Count,
    Propose,
    RaiseVersion,
    Read,
    Recover,
    SetManifest,
    Upload,
)
from model_people import STRANGER, USERS, Plan

Entry = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refused:
    """The caller sees an error with this code."""

    code: str


@dataclass(frozen=True, slots=True)
class Done:
    """The caller sees this."""

    reply: object = None


Outcome = Refused | Done


@dataclass(frozen=True, slots=True)
class Admission:
    marble: str
    uuid: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Everything that can be observed.

    Attributes:
        generation: Goes up with the intermediate CA: Marbles of an older one have no counters.
        given: Owners whose share is in, with whether it was signed.
        sealings: How long the shares were, each time there were new ones: older ones are worthless.
    """

    plan: Plan | None = None
    recovering: bool = False
    activations: Mapping[str, int] = field(default_factory=dict)
    version: int | None = None
    pending: Plan | None = None
    agreed: frozenset[str] = frozenset()
    values: Mapping[str, bytes] = field(default_factory=dict)
    counters: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    admissions: tuple[Admission, ...] = ()
    generation: int = 0
    sealings: tuple[int, ...] = ()
    given: Mapping[str, bool] = field(default_factory=dict)
    log: tuple[Entry, ...] = ()
    ledger: tuple[Entry, ...] = ()

    @property
    def phase(self) -> int:
        """Return MarbleRun's number."""
        return 1 if self.recovering else 2 if self.plan is None else 3

    @property
    def sealing(self) -> int:
        """Return which shares count, by number."""
        return len(self.sealings) - 1

    @property
    def running(self) -> Plan | None:
        """Return the manifest that everybody can see."""
        return None if self.recovering else self.plan

    def missing_users(self) -> list[str]:
        """Return who could still agree to what waits."""
        assert self.plan is not None
        return sorted(set(self.plan.updaters) - self.agreed)

    def missing(self) -> int:
        """Return how many still have to agree to what waits."""
        assert self.plan is not None
        return max(0, (self.plan.threshold or len(self.plan.updaters)) - len(self.agreed))

    def noting(self, *lines: Entry) -> "Model":
        return replace(self, log=(*self.log, *lines))

    def with_act(self, act: str, **fields: object) -> "Model":
        return replace(self, ledger=(*self.ledger, {"act": act, **fields}))


def apply(model: Model, command: Command) -> tuple[Model, Outcome]:
    """Return what becomes of `model`, and what the caller sees."""
    after, outcome = _RULES[type(command)](model, command)
    return (model if isinstance(outcome, Refused) and outcome.code not in _COMMITTED else after), outcome


#: Refusals that change something: a wrong signature costs all the shares.
_COMMITTED = frozenset({"recovery-signature"})


def _set_manifest(model: Model, command: SetManifest) -> tuple[Model, Outcome]:
    if model.recovering:
        return model, Refused("reset-refused")
    if model.plan is not None:
        return model, Refused("wrong-phase")
    if command.plan.broken:
        return model, Refused("manifest")
    plan = command.plan
    after = replace(model, plan=plan, sealings=(*model.sealings, plan.share_bytes))
    after = after.noting({"update": "initial manifest set"})
    return after.with_act("manifest-set", manifest=plan.fingerprint), Done(plan.owners)


def _activate(model: Model, command: Activate) -> tuple[Model, Outcome]:
    plan = model.running
    if plan is None:
        return model, Refused("wrong-phase")
    if command.marble not in plan.marbles:
        return model, Refused("unknown-marble-type")
    limited = command.marble == "capped" and plan.limit > 0
    count = model.activations.get(command.marble, 0)
    if limited and count >= plan.limit:
        return model, Refused("activation-limit")
    if command.uuid == "x":
        return model, Refused("bad-uuid")
    if not command.request:
        return model, Refused("bad-csr")
    if command.marble == "reader" and "word" not in model.values:
        return model, Refused("template-execution")
    after = replace(
        model,
        activations={**model.activations, command.marble: count + 1} if limited else model.activations,
        admissions=(*model.admissions, Admission(command.marble, command.uuid, model.generation)),
    ).with_act("marble-admitted", marble=command.marble, uuid=command.uuid)
    return after, Done(model.values["word"] if command.marble == "reader" else None)


def _propose(model: Model, command: Propose) -> tuple[Model, Outcome]:
    refused = _refused_as_updater(model, command.user)
    if refused:
        return model, refused
    if model.pending is not None:
        return model, Refused("update-pending")
    if command.plan.broken:
        return model, Refused("manifest")
    proposed = replace(model, pending=command.plan, agreed=frozenset({command.user}))
    return _step(model, proposed, command.user, "proposed")


def _acknowledge(model: Model, command: Acknowledge) -> tuple[Model, Outcome]:
    if model.running is None or command.user not in USERS:
        return model, Refused("user-unauthenticated")
    if model.pending is None:
        return model, Refused("nothing-pending")
    refused = _refused_as_updater(model, command.user)
    if refused:
        return model, refused
    if command.plan != model.pending:
        return model, Refused("update-differs")
    agreed = replace(model, agreed=model.agreed | {command.user})
    return _step(model, agreed, command.user, "acknowledged")


def _step(before: Model, model: Model, user: str, act: str) -> tuple[Model, Outcome]:
    plan = model.pending
    assert plan is not None
    assert before.plan is not None
    missing, users = model.missing(), model.missing_users()
    line: dict[str, object] = {"update": f"manifest update {act}", "user": user}
    if missing or act == "acknowledged":
        line |= {"missingAcknowledgments": missing, "missingUsers": users}
    line["manifestFingerprint"] = plan.fingerprint
    model = model.noting(line).with_act(
        f"update-{act}", user=user, manifest=plan.fingerprint, missing=missing
    )
    if missing:
        return model, Done((missing, tuple(users), None))
    resealed = (before.plan.owners, before.plan.shares_needed) != (plan.owners, plan.shares_needed)
    after = replace(
        model,
        plan=plan,
        version=None,
        pending=None,
        agreed=frozenset(),
        values={name: value for name, value in model.values.items() if name in plan.uploads},
        generation=model.generation + 1,
        sealings=(*model.sealings, plan.share_bytes) if resealed else model.sealings,
    ).noting({"update": "manifest update applied", "manifestFingerprint": plan.fingerprint})
    after = after.with_act("manifest-updated", manifest=plan.fingerprint)
    return after, Done((0, (), plan.owners if resealed else None))


def _cancel(model: Model, command: Cancel) -> tuple[Model, Outcome]:
    refused = _refused_as_updater(model, command.user)
    if refused:
        return model, refused
    if model.pending is None:
        return model, Refused("nothing-pending")
    fields = {"user": command.user, "manifestFingerprint": model.pending.fingerprint}
    after = replace(model, pending=None, agreed=frozenset()).noting(
        {"update": "manifest update cancelled", **fields}
    )
    return after.with_act(
        "update-cancelled", user=command.user, manifest=model.pending.fingerprint, missing=model.missing()
    ), Done()


def _raise_version(model: Model, command: RaiseVersion) -> tuple[Model, Outcome]:
    plan = model.running
    if plan is None or command.user not in USERS:
        return model, Refused("user-unauthenticated")
    if model.pending is not None:
        return model, Refused("update-pending")
    if command.version < (plan.version if model.version is None else model.version):
        return model, Refused("update-refused")
    if command.user != "dan":
        return model, Refused("permission-refused")
    after = replace(model, version=command.version, generation=model.generation + 1).noting(
        {
            "update": "SecurityVersion increased",
            "user": command.user,
            "package": "oven",
            "new version": command.version,
        }
    )
    return after.with_act("packages-updated", user=command.user, versions={"oven": command.version}), Done(
        (0, (), None)
    )


def _upload(model: Model, command: Upload) -> tuple[Model, Outcome]:
    plan = model.running
    if plan is None or command.user not in USERS:
        return model, Refused("user-unauthenticated")
    for name, value in command.values:
        if name not in (*plan.uploads, "gen"):
            return model, Refused("upload-unknown-secret")
        if name == "gen":
            return model, Refused("upload-not-user-defined")
        if name == "pin" and len(value) != 8:
            return model, Refused("upload-key-length")
    if plan.word and dict(command.values).get("word") == b"":
        return model, Refused("template-execution")
    if command.user != "dan":
        return model, Refused("permission-refused")
    kinds = {"pin": "symmetric-key", "word": "plain"}
    lines = [
        {"update": "secret set", "user": command.user, "secret": name, "type": kinds[name]}
        for name, _ in command.values
    ]
    after = replace(model, values={**model.values, **dict(command.values)}).noting(*lines)
    names = sorted(name for name, _ in command.values)
    return after.with_act("secrets-written", user=command.user, secrets=names), Done()


def _read(model: Model, command: Read) -> tuple[Model, Outcome]:
    plan = model.running
    if plan is None or command.user not in USERS:
        return model, Refused("user-unauthenticated")
    if not set(command.names) <= {"gen", *plan.uploads}:
        return model, Refused("unknown-secret")
    if command.user != "dan":
        return model, Refused("permission-refused")
    reply = tuple((name, model.values.get(name)) for name in command.names if name != "gen")
    return model.with_act("secrets-read", user=command.user, secrets=sorted(command.names)), Done(reply)


def _count(model: Model, command: Count) -> tuple[Model, Outcome]:
    if model.running is None:
        return model, Refused("gate-closed")
    marble = model.admissions[command.marble]
    if marble.generation != model.generation:
        return model, Refused("marble-unauthenticated")
    key = (marble.marble, marble.uuid, command.name)
    before = model.counters.get(key, 0)
    return replace(model, counters={**model.counters, key: max(before, command.value)}), Done(before)


def _recover(model: Model, command: Recover) -> tuple[Model, Outcome]:
    if not model.recovering:
        return model, Refused("wrong-phase")
    plan = model.plan
    assert plan is not None
    right = command.sealing == model.sealing
    length = model.sealings[command.sealing]
    if plan.owners <= 1 and not right and length == 32:
        return model, Done(1)  # as MarbleRun counts, but nothing is kept
    if not right:
        same_form = length == plan.share_bytes
        return model, Refused("recovery-share-unknown" if same_form else "recovery-share-refused")
    if command.owner in model.given:
        return model, Refused("recovery-share-repeated")
    given = {**model.given, command.owner: command.signed}
    if len(given) < plan.shares_needed:
        return replace(model, given=given), Done(plan.owners - len(given))
    if not all(given.values()):
        return replace(model, given={}), Refused("recovery-signature")
    after = replace(model, recovering=False, given={})
    return after.with_act("state-recovered", shares=len(given)), Done(0)


def _refused_as_updater(model: Model, user: str) -> Refused | None:
    if model.running is None or user == STRANGER:
        return Refused("user-unauthenticated")
    return None if user in model.running.updaters else Refused("permission-refused")


_RULES = {
    SetManifest: _set_manifest,
    Activate: _activate,
    Propose: _propose,
    Acknowledge: _acknowledge,
    Cancel: _cancel,
    RaiseVersion: _raise_version,
    Upload: _upload,
    Read: _read,
    Count: _count,
    Recover: _recover,
}
