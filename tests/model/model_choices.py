"""Random commands that are likely to mean something, by whatever picks: Hypothesis, or `random`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

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

T = TypeVar("T")


class Pick(Protocol):
    """Returns one of several things."""

    def __call__(self, several: Sequence[T], /) -> T: ...


ANYBODY = (*UPDATERS, *UPDATERS, *USERS, STRANGER)
SECRETS = ("word", "word", "pin", "gen", "nope")
VALUES = (b"12345678", b"abcdefgh", b"other", b"")
SEVERAL_UPDATERS = (("ann",), ("bob", "cyd"), ("ann", "bob"), UPDATERS, UPDATERS)


def some_plan(pick: Pick, *, sealed: bool) -> Plan:
    """Return a manifest that can be set, or seldom a broken one."""
    updaters = pick(SEVERAL_UPDATERS)
    owners = pick(range(4)) if sealed else 0
    return Plan(
        number=pick(range(4)),
        updaters=updaters,
        threshold=pick(range(len(updaters) + 1)),
        limit=pick(range(4)),
        word=pick((True, True, False)),
        owners=owners,
        quorum=pick((0, *range(2, owners + 1))),
        version=pick(range(1, 5)),
        sealed=sealed,
        broken=pick(range(10)) == 9,
    )


def some_command(pick: Pick, model: Model, *, sealed: bool) -> Command:
    """Return a command for `model`, most often one that it would not refuse."""
    if model.recovering:
        return _in_recovery(pick, model)
    if model.plan is None and pick(range(6)):
        return SetManifest(some_plan(pick, sealed=sealed))
    match pick("aaa uuuu ss r ccc v x m".replace(" ", "")):
        case "a":
            return some_activation(pick)
        case "u":
            return agreeing(pick, model, sealed=sealed)
        case "s":
            return _upload(pick)
        case "r":
            return Read(pick(("dan", "dan", "eve")), tuple(dict.fromkeys((pick(SECRETS), pick(SECRETS)))))
        case "c":
            return _counting(pick, model)
        case "v":
            return RaiseVersion(pick(("dan", "dan", "eve")), pick(range(1, 7)))
        case "x":
            return Cancel(pick(ANYBODY))
    return SetManifest(some_plan(pick, sealed=sealed))


def some_activation(pick: Pick) -> Activate:
    """Return a Marble at the door, mostly a welcome one."""
    return Activate(
        marble=pick(("capped", "capped", "capped", "free", "reader", "reader", "nobody")),
        uuid=pick((*UUIDS * 3, "x")),
        own=pick((False, True)),
        request=bool(pick(range(10))),
    )


def agreeing(pick: Pick, model: Model, *, sealed: bool) -> Command:
    """Return a proposal, or while one waits mostly an acknowledgment of it."""
    user = pick(ANYBODY if model.plan is None else (*model.plan.updaters * 4, *USERS, STRANGER))
    if model.pending is None:
        plan = some_plan(pick, sealed=sealed)
        return Propose(user, plan) if pick(range(6)) else Acknowledge(user, plan)
    other = replace(model.pending, number=model.pending.number + 1)
    return Acknowledge(user, pick((*[model.pending] * 5, other)))


def _upload(pick: Pick) -> Upload:
    user = pick(("dan", "dan", "dan", "ann", STRANGER))
    if pick(range(3)):
        return Upload(user, (pick((("word", pick(VALUES)), ("pin", b"12345678"), ("pin", b"abcdefgh"))),))
    return Upload(user, tuple({pick(SECRETS): pick(VALUES), pick(SECRETS): pick(VALUES)}.items()))


def _counting(pick: Pick, model: Model) -> Command:
    """Return a step of a Marble's counter, mostly of one whose certificate still counts."""
    if not model.admissions:
        return some_activation(pick)
    numbers = range(len(model.admissions))
    present = [n for n in numbers if model.admissions[n].generation == model.generation] or numbers
    return Count(pick((*present, *present, *numbers)), pick("ab"), pick((0, 1, 2, 3, 4, 5, 2**64 - 1)))


def _in_recovery(pick: Pick, model: Model) -> Command:
    assert model.plan is not None
    match pick(range(12)):
        case 0:
            return some_activation(pick)
        case 1:
            return Cancel(pick(ANYBODY))
        case 2:
            return SetManifest(some_plan(pick, sealed=True))
    return Recover(pick(OWNERS[: model.plan.owners]), model.sealing, bool(pick(range(8))))
