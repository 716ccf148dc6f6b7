"""The drill of a recovery: would these shares open the state? It changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from sealmesh.client.answers import data_of, member
from sealmesh.client.exchange import OWN, Exchange, b64, post
from sealmesh.errors.client import AnswerError


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillShare:
    """A plain share and its owner's signature over it."""

    secret: bytes
    signature: bytes = b""

    def __repr__(self) -> str:
        return "DrillShare()"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareVerdict:
    """What a recovery would say of one share; `problem` is empty where it would take it."""

    problem: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What a recovery with these shares would come to.

    Attributes:
        passed: It would succeed.
        opens: The good shares were enough, and the whole state opened with them.
        remark: What the owners must know about the state: that it is an older copy.
    """

    owners: int
    threshold: int
    passed: bool
    opens: bool
    remark: str
    shares: Mapping[str, ShareVerdict]


def drill(shares: Mapping[str, DrillShare]) -> Exchange[Drill]:
    """Ask what a recovery with these shares would come to, by labels of your choice."""
    members = {
        label: {"recoverySecret": b64(share.secret), "recoverySecretSignature": b64(share.signature)}
        for label, share in shares.items()
    }
    request = post(f"{OWN}/recover/drill", {"shares": members})
    found = data_of(request, (yield request))
    return Drill(
        owners=member(found, "owners", int),
        threshold=member(found, "threshold", int),
        passed=member(found, "passed", bool),
        opens=member(found, "opens", bool),
        remark=member(found, "remark", str),
        shares={label: _verdict(found, label) for label in shares},
    )


def _verdict(found: Mapping[str, object], label: str) -> ShareVerdict:
    shares = found.get("shares")
    item = shares.get(label) if isinstance(shares, dict) else None
    if not isinstance(item, dict):
        raise AnswerError("the Coordinator says nothing about a share", found=label)
    return ShareVerdict(problem=member(item, "problem", str), owner=member(item, "owner", str))
