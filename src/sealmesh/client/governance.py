"""Governance: which acts need approvals here, handing approvals in, seeing which wait.

Making one needs no connection: see `sealmesh.client.approval`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealmesh.client.answers import data_of, member, texts
from sealmesh.client.exchange import OWN, Exchange, b64, get, post
from sealmesh.errors.client import AnswerError

_APPROVALS = f"{OWN}/approvals"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedAct:
    """What one kind of act needs."""

    threshold: int
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GovernanceInForce:
    """What approvals have to name, and the rules.

    Attributes:
        root: SHA-256 of the mesh's root certificate, in hex.
        coordinator: The same of the certificate that this Coordinator shows; another one during recovery.
        manifest: The fingerprint, and its epoch; None while a state waits for recovery.
        keys: For each approver the SHA-256 of his public keys (SubjectPublicKeyInfo).
    """

    trust_domain: str
    root: str
    coordinator: str
    manifest: str | None
    epoch: int | None
    rules: Mapping[str, ReservedAct]
    keys: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenApproval:
    """An approval that counts, and what its act still needs.

    Attributes:
        missing: How many more have to approve the same.
        asked: Names of those who could.
    """

    id: str
    approver: str
    act: str
    subject: str
    reason: str
    not_after: str
    missing: int
    asked: tuple[str, ...]


def read_governance() -> Exchange[GovernanceInForce]:
    """Return the rules in force; everybody may.

    Raises:
        FeatureClosed: Nothing is reserved here.
    """
    request = get(f"{OWN}/governance")
    return parse_governance(data_of(request, (yield request)))


def parse_governance(members: Mapping[str, Any]) -> GovernanceInForce:
    """Read the document that a Coordinator gives, or that was kept from it.

    Raises:
        AnswerError: It has another form.
    """
    rules, keys = member(members, "rules", dict), member(members, "keys", dict)
    known = members.get("manifest") is not None
    return GovernanceInForce(
        trust_domain=member(members, "trustDomain", str),
        root=member(members, "root", str),
        coordinator=member(members, "coordinator", str),
        manifest=member(members, "manifest", str) if known else None,
        epoch=member(members, "epoch", int) if known else None,
        rules={str(act): _rule(rule) for act, rule in rules.items()},
        keys={str(name): texts(keys, name) for name in keys},
    )


def submit_approval(raw: bytes) -> Exchange[TakenApproval]:
    """Hand in an approval, as a user; who signed it is in the file.

    Raises:
        Refused: It does not count, see the error's code.
    """
    request = post(_APPROVALS, {"approval": b64(raw)})
    return _taken(data_of(request, (yield request)))


def read_approvals() -> Exchange[tuple[TakenApproval, ...]]:
    """Return the approvals that wait to be used; users may."""
    request = get(_APPROVALS)
    return tuple(_taken(item) for item in member(data_of(request, (yield request)), "approvals", list))


def _rule(rule: Any) -> ReservedAct:
    if not isinstance(rule, dict):
        raise AnswerError("a rule is not an object", found=type(rule).__name__)
    return ReservedAct(threshold=member(rule, "threshold", int), approvers=texts(rule, "approvers"))


def _taken(members: Any) -> TakenApproval:
    if not isinstance(members, dict):
        raise AnswerError("an approval is not an object", found=type(members).__name__)
    names = ("id", "approver", "act", "subject", "reason")
    return TakenApproval(
        **{name: member(members, name, str) for name in names},
        not_after=member(members, "notAfter", str),
        missing=member(members, "missing", int),
        asked=texts(members, "asked"),
    )
