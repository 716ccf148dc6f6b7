"""sealmesh's own REST API for governance: the `data` of its answers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from sealmesh.wire.envelope import Json


class Approval(Protocol):
    """An approval that counts."""

    @property
    def id(self) -> str: ...
    @property
    def approver(self) -> str: ...
    @property
    def act(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def not_after(self) -> datetime: ...
    @property
    def missing(self) -> int: ...
    @property
    def asked(self) -> Sequence[str]: ...


class Rule(Protocol):
    """What one kind of act needs."""

    @property
    def threshold(self) -> int: ...
    @property
    def approvers(self) -> Sequence[str]: ...


def governance(
    *,
    trust_domain: str,
    root: str,
    coordinator: str,
    manifest: str | None,
    epoch: int | None,
    rules: Mapping[str, Rule],
    keys: Mapping[str, Sequence[str]],
) -> Json:
    """Return what approvals have to name, and the rules."""
    return {
        "trustDomain": trust_domain,
        "root": root,
        "coordinator": coordinator,
        "manifest": manifest,
        "epoch": epoch,
        "rules": {
            act: {"threshold": rule.threshold, "approvers": list(rule.approvers)}
            for act, rule in rules.items()
        },
        "keys": {name: list(digests) for name, digests in keys.items()},
    }


def approvals(found: Iterable[Approval]) -> Json:
    """Return the approvals that wait to be used."""
    return {"approvals": [approval(one) for one in found]}


def approval(one: Approval) -> Json:
    """Return one approval, and what its act still needs."""
    return {
        "id": one.id,
        "approver": one.approver,
        "act": one.act,
        "subject": one.subject,
        "reason": one.reason,
        "notAfter": one.not_after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "missing": one.missing,
        "asked": list(one.asked),
    }
