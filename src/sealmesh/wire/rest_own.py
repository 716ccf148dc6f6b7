"""sealmesh's own REST API, under `/api/sealmesh/v1/`: the `data` of its answers."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Protocol

from sealmesh.wire.envelope import Json


class RecoveryProgress(Protocol):
    """Why a state waits for recovery, and how far that is."""

    @property
    def reason(self) -> str: ...
    @property
    def owners(self) -> int: ...
    @property
    def threshold(self) -> int: ...
    @property
    def given(self) -> int: ...


class ShareVerdict(Protocol):
    """A drill's verdict on one share."""

    @property
    def problem(self) -> str: ...
    @property
    def owner(self) -> str: ...


def status(
    *,
    code: int,
    message: str,
    relaxations: Sequence[str],
    simulation: bool,
    recovery: RecoveryProgress | None = None,
) -> Json:
    """Return the phase, and what a reader must know about this Coordinator."""
    found: dict[str, Json] = {
        "code": code,
        "message": message,
        "relaxations": list(relaxations),
        "simulation": simulation,
    }
    if recovery is not None:
        found["recovery"] = {
            "reason": recovery.reason,
            "owners": recovery.owners,
            "threshold": recovery.threshold,
            "given": recovery.given,
        }
    return found


def drilled(
    *,
    owners: int,
    threshold: int,
    passed: bool,
    opens: bool,
    remark: str,
    shares: Mapping[str, ShareVerdict],
) -> Json:
    """Return what a recovery with these shares would come to."""
    return {
        "owners": owners,
        "threshold": threshold,
        "passed": passed,
        "opens": opens,
        "remark": remark,
        "shares": {label: {"problem": item.problem, "owner": item.owner} for label, item in shares.items()},
    }


def quote(*, chain_pem: str, evidence: bytes | None, endorsements: bytes | None) -> Json:
    """Return chain, Evidence and the collateral to verify it with."""
    return {"cert": chain_pem, "quote": _maybe(evidence), "endorsements": _maybe(endorsements)}


def _maybe(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode("ascii")
