"""Decisions: is this caller let in, and why.

Invariants: what no rule allows is refused; a caller that is not authenticated is let in by `@anyone`
only; taking a rule away never lets anybody in.
"""

from dataclasses import dataclass

from sealmesh.policy.rules import ANYONE, MESH, AccessPolicy, Rule


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        marble_type: The Marble type of a certificate that was *verified* to be of this mesh; None for
            everybody else (no certificate, another mesh's, expired). Nothing is verified here.
    """

    marble_type: str | None

    def __str__(self) -> str:
        return (
            "a caller without a certificate of this mesh"
            if self.marble_type is None
            else repr(self.marble_type)
        )


UNAUTHENTICATED = Caller(None)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer.

    Attributes:
        allowed: Whether the connection may stand.
        rule: Index of the rule that allowed it, None where none did.
        explanation: One sentence for a person.
    """

    allowed: bool
    rule: int | None
    explanation: str

    def __bool__(self) -> bool:
        raise TypeError("look at Decision.allowed: a decision itself is neither true nor false")


def decide(policy: AccessPolicy, *, caller: Caller, callee_type: str, port: int) -> Decision:
    """Decide whether `caller` may connect to a Marble of `callee_type` on `port`.

    The accepting side asks this about each new connection. The first rule that allows is named.
    """
    return _decide(policy, caller, callee_type, port)


def may_call(policy: AccessPolicy, caller_type: str, callee_type: str) -> Decision:
    """Decide whether Marbles of `caller_type` may call `callee_type` on any port at all.

    For the dialling side, which does not know the callee's port behind a load balancer. It saves a
    useless connection; the accepting side's decision is the one that protects.
    """
    return _decide(policy, Caller(caller_type), callee_type, None)


def _decide(policy: AccessPolicy, caller: Caller, callee_type: str, port: int | None) -> Decision:
    for index, rule in enumerate(policy.rules):
        if _concerns(rule, caller, callee_type) and (port is None or port in rule.ports):
            return Decision(True, index, f"{caller} may call {callee_type!r}: rule {index} ({rule}).")
    return Decision(False, None, _why_not(policy, caller, callee_type, port))


def _concerns(rule: Rule, caller: Caller, callee_type: str) -> bool:
    return rule.to in (callee_type, MESH) and _matches(rule, caller)


def _matches(rule: Rule, caller: Caller) -> bool:
    if ANYONE in rule.from_:
        return True
    kind = caller.marble_type
    return kind is not None and (MESH in rule.from_ or (kind in rule.from_ and not kind.startswith("@")))


def _why_not(policy: AccessPolicy, caller: Caller, callee_type: str, port: int | None) -> str:
    where = "" if port is None else f" on port {port}"
    refusal = f"{caller} may not call {callee_type!r}{where}"
    concerned = [rule for rule in policy.rules if rule.to in (callee_type, MESH)]
    if not concerned:
        return f"{refusal}: no rule allows anybody to call {callee_type!r}."
    same_caller = [rule for rule in concerned if _matches(rule, caller)]
    if same_caller:
        return f"{refusal}: it may on {'; '.join(str(rule.ports) for rule in same_caller[:5])}."
    if caller.marble_type is None:
        return f"{refusal}: the rules let in Marbles only."
    allowed = sorted({name for rule in concerned for name in rule.from_})
    return f"{refusal}: only {', '.join(allowed[:8])}{' and others' if len(allowed) > 8 else ''} may."
