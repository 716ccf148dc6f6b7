"""Random commands that are likely to mean something."""

from dataclasses import replace

from hypothesis import strategies as st
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
from model_people import OWNERS, STRANGER, UPDATERS, USERS, UUIDS, Plan
from model_reference import Model

ANYBODY = st.sampled_from((*UPDATERS, *UPDATERS, *USERS, STRANGER))
SECRETS = st.sampled_from(("word", "pin", "gen", "nope"))


@st.composite
def plans(draw: st.DrawFn, *, sealed: bool) -> Plan:
    """Return a manifest that can be set, or seldom a broken one."""
    updaters = tuple(draw(st.lists(st.sampled_from(UPDATERS), min_size=1, max_size=3, unique=True)))
    owners = draw(st.integers(0, 3)) if sealed else 0
    return Plan(
        number=draw(st.integers(0, 3)),
        updaters=updaters,
        threshold=draw(st.integers(0, len(updaters))),
        limit=draw(st.integers(0, 3)),
        word=draw(st.booleans()),
        owners=owners,
        quorum=draw(st.sampled_from((0, *range(2, owners + 1)))),
        version=draw(st.integers(1, 4)),
        sealed=sealed,
        broken=draw(st.integers(0, 9)) == 0,
    )


@st.composite
def uploads(draw: st.DrawFn) -> Upload:
    values = draw(
        st.dictionaries(
            SECRETS,
            st.sampled_from((b"12345678", b"abcdefgh", b"other", b"")),
            min_size=1,
            max_size=2,
        )
    )
    return Upload(draw(st.sampled_from(("dan", "dan", "dan", "ann", STRANGER))), tuple(values.items()))


@st.composite
def reads(draw: st.DrawFn) -> Read:
    names = draw(st.lists(SECRETS, min_size=1, max_size=2, unique=True))
    return Read(draw(st.sampled_from(("dan", "dan", "eve"))), tuple(names))


def activations() -> st.SearchStrategy[Activate]:
    return st.builds(
        Activate,
        st.sampled_from(("capped", "capped", "free", "reader", "nobody")),
        st.sampled_from((*UUIDS, *UUIDS, "x")),
        st.booleans(),
        st.integers(0, 9).map(bool),
    )


@st.composite
def commands(draw: st.DrawFn, model: Model, *, sealed: bool) -> Command:
    """Return a command for `model`, most often one that it would not refuse."""
    if model.recovering:
        return draw(_in_recovery(model))
    if model.plan is None and draw(st.integers(0, 4)):
        return SetManifest(draw(plans(sealed=sealed)))
    kinds: list[st.SearchStrategy[Command]] = [
        activations(),
        activations(),
        _agreeing(model, sealed=sealed),
        _agreeing(model, sealed=sealed),
        _agreeing(model, sealed=sealed),
        uploads(),
        uploads(),
        reads(),
        _counting(model),
        _counting(model),
        st.builds(RaiseVersion, st.sampled_from(("dan", "dan", "eve")), st.integers(1, 6)),
        st.builds(Cancel, ANYBODY),
        st.builds(SetManifest, plans(sealed=sealed)),
    ]
    return draw(kinds[draw(st.integers(0, len(kinds) - 1))])


def _counting(model: Model) -> st.SearchStrategy[Command]:
    """A Marble's counter, mostly of one whose certificate still counts."""
    if not model.admissions:
        return activations()
    numbers = list(range(len(model.admissions)))
    present = [n for n in numbers if model.admissions[n].generation == model.generation] or numbers
    return st.builds(
        Count,
        st.sampled_from((*present, *present, *numbers)),
        st.sampled_from("ab"),
        st.integers(0, 5) | st.just(2**64 - 1),
    )


def _agreeing(model: Model, *, sealed: bool) -> st.SearchStrategy[Command]:
    """A proposal, or while one waits mostly an acknowledgment of it."""
    users = ANYBODY if model.plan is None else st.sampled_from((*model.plan.updaters * 3, *USERS, STRANGER))
    if model.pending is None:
        new = plans(sealed=sealed)
        propose, acknowledge = st.builds(Propose, users, new), st.builds(Acknowledge, users, new)
        return st.integers(0, 5).flatmap(lambda n: propose if n else acknowledge)
    other = replace(model.pending, number=model.pending.number + 1)
    return st.builds(Acknowledge, users, st.sampled_from((*[model.pending] * 5, other)))


def _in_recovery(model: Model) -> st.SearchStrategy[Command]:
    assert model.plan is not None
    owners = OWNERS[: model.plan.owners]
    right = st.builds(Recover, st.sampled_from(owners), st.just(model.sealing), st.integers(0, 7).map(bool))
    other: list[st.SearchStrategy[Command]] = [
        st.builds(Activate, st.just("free"), st.just(UUIDS[0])),
        st.builds(Cancel, ANYBODY),
        st.builds(SetManifest, plans(sealed=True)),
    ]
    return st.integers(0, 11).flatmap(lambda n: other[n] if n < len(other) else right)
