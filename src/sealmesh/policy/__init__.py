"""Who may call whom: rules, decision, explanation.

Standard library only: this package is loaded inside programs that are not ours.
"""

from sealmesh.policy.decision import UNAUTHENTICATED, Caller, Decision, decide, may_call
from sealmesh.policy.document import from_json, to_json
from sealmesh.policy.rules import (
    ALL_PORTS,
    ANYONE,
    MESH,
    UNRESTRICTED_MESH,
    AccessPolicy,
    PortRange,
    PortSet,
    Rule,
)

__all__ = [
    "ALL_PORTS",
    "ANYONE",
    "MESH",
    "UNAUTHENTICATED",
    "UNRESTRICTED_MESH",
    "AccessPolicy",
    "Caller",
    "Decision",
    "PortRange",
    "PortSet",
    "Rule",
    "decide",
    "from_json",
    "may_call",
    "to_json",
]
