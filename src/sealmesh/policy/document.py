"""The policy as JSON, as it travels to a Marble: written in one form, and only that form is read.

    {"version": 1, "rules": [{"from": ["shop"], "to": "stock", "ports": [[8443, 8443]]}]}

Names and numbers are exactly these: unknown keys, other versions, repeated keys, unsorted callers and
anything beyond the bounds are refused, so that a Marble never enforces rules that it only half knows.
"""

import json
from typing import Final

from sealmesh.errors.policy import PolicyError
from sealmesh.policy.rules import MAX_RANGES, MAX_RULES, AccessPolicy, PortRange, PortSet, Rule

VERSION: Final = 1

MAX_BYTES: Final = 2 * 1024 * 1024
"""It travels in a message of at most 4 MiB; manifests allow rules of half this."""


def to_json(policy: AccessPolicy) -> bytes:
    """Return `policy` as JSON: compact, callers sorted, ASCII."""
    rules = [
        {
            "from": sorted(rule.from_),
            "to": rule.to,
            "ports": [[ports.first, ports.last] for ports in rule.ports.ranges],
        }
        for rule in policy.rules
    ]
    return json.dumps({"version": VERSION, "rules": rules}, separators=(",", ":")).encode("ascii")


def from_json(raw: bytes) -> AccessPolicy:
    """Read what `to_json` of this version wrote.

    Raises:
        PolicyError: It is anything else.
    """
    if len(raw) > MAX_BYTES:
        raise PolicyError("The policy is too large", found=f"{len(raw)} bytes", wanted=f"at most {MAX_BYTES}")
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except PolicyError:
        raise
    except (ValueError, RecursionError) as error:
        raise PolicyError("The policy is not JSON") from error
    fields = _fields(document, ("version", "rules"))
    version = fields["version"]
    if type(version) is not int or version != VERSION:
        raise PolicyError("The policy has another version", found=repr(version)[:20], wanted=VERSION)
    return AccessPolicy(tuple(_rule(rule) for rule in _list(fields["rules"], MAX_RULES)))


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PolicyError("A key stands in the policy twice")
    return found


def _constant(name: str) -> object:
    raise PolicyError("The policy holds a number that JSON has not", found=name)


def _fields(value: object, names: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(value, dict) or tuple(sorted(value)) != tuple(sorted(names)):
        raise PolicyError("An object of the policy has other keys", wanted=", ".join(names))
    return value


def _list(value: object, limit: int) -> list[object]:
    if not isinstance(value, list) or len(value) > limit:
        raise PolicyError("A list is missing in the policy, or too long", wanted=f"at most {limit} entries")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise PolicyError("A name in the policy is no text", found=type(value).__name__)
    return value


def _rule(value: object) -> Rule:
    fields = _fields(value, ("from", "to", "ports"))
    callers = [_text(name) for name in _list(fields["from"], MAX_RULES)]
    if callers != sorted(set(callers)):
        raise PolicyError("Callers in the policy are repeated or not sorted")
    ranges = tuple(_range(ports) for ports in _list(fields["ports"], MAX_RANGES))
    return Rule(from_=frozenset(callers), to=_text(fields["to"]), ports=PortSet(ranges))


def _range(value: object) -> PortRange:
    match value:
        case [int() as first, int() as last] if not isinstance(first, bool) and not isinstance(last, bool):
            return PortRange(first, last)
    raise PolicyError("A range of ports is not a pair of numbers")
