"""The policy's JSON: one form written, only that form read."""

import pytest

from sealmesh.errors.policy import PolicyError
from sealmesh.policy import UNRESTRICTED_MESH, AccessPolicy, PortRange, PortSet, Rule, from_json, to_json
from sealmesh.policy.document import MAX_BYTES

POLICY = AccessPolicy(
    (Rule(from_=frozenset({"shop", "@anyone", "größe"}), to="stock", ports=PortSet((PortRange(1, 5),))),)
)
RAW = b'{"version":1,"rules":[{"from":["@anyone","gr\\u00f6\\u00dfe","shop"],"to":"stock","ports":[[1,5]]}]}'


def test_the_form_is_fixed():
    assert to_json(POLICY) == RAW
    assert from_json(RAW) == POLICY
    assert from_json(to_json(UNRESTRICTED_MESH)) == UNRESTRICTED_MESH
    assert from_json(b'{"version":1,"rules":[]}') == AccessPolicy(())


@pytest.mark.parametrize(
    ("attack", "raw"),
    [
        ("nothing", b""),
        ("not JSON", b"x"),
        ("not UTF-8", b'{"version":1,"rules":[],"\xff":1}'),
        ("an array", b"[]"),
        ("trailing data", RAW + b"{}"),
        ("no version", b'{"rules":[]}'),
        ("other version", RAW.replace(b'"version":1', b'"version":2')),
        ("version as boolean", RAW.replace(b'"version":1', b'"version":true')),
        ("version as fraction", RAW.replace(b'"version":1', b'"version":1.0')),
        ("unknown key", RAW.replace(b'{"version"', b'{"x":0,"version"')),
        ("unknown key in a rule", RAW.replace(b'"to"', b'"methods":[],"to"')),
        ("repeated key", RAW.replace(b'{"version":1', b'{"version":1,"version":1')),
        ("repeated rules", b'{"version":1,"rules":[{}],"rules":[]}'),
        ("unsorted callers", RAW.replace(b'"@anyone",', b"").replace(b'"shop"', b'"a"')),
        ("repeated callers", RAW.replace(b'"shop"', b'"shop","shop"')),
        ("no callers", RAW.replace(b'"@anyone","gr\\u00f6\\u00dfe","shop"', b"")),
        ("caller is a number", RAW.replace(b'"shop"', b"5")),
        ("callee is null", RAW.replace(b'"stock"', b"null")),
        ("no ports", RAW.replace(b"[1,5]", b"")),
        ("port 0", RAW.replace(b"[1,5]", b"[0,5]")),
        ("one number", RAW.replace(b"[1,5]", b"[1]")),
        ("fraction", RAW.replace(b"[1,5]", b"[1.0,5]")),
        ("boolean", RAW.replace(b"[1,5]", b"[true,5]")),
        ("NaN", RAW.replace(b"[1,5]", b"[NaN,5]")),
        ("long number", RAW.replace(b"[1,5]", b"[" + b"1" * 9000 + b",5]")),
        ("too many rules", b'{"version":1,"rules":[' + b"{}," * 10_001 + b"{}]}"),
    ],
)
def test_anything_else_is_refused(attack, raw):
    with pytest.raises(PolicyError) as caught:
        from_json(raw)
    assert caught.value.code == "policy.invalid"


def test_deep_nesting_is_refused():
    with pytest.raises(PolicyError):
        from_json(b"[" * 200_000)


def test_a_document_beyond_the_limit_is_refused_unread():
    with pytest.raises(PolicyError, match="too large"):
        from_json(b" " * (MAX_BYTES + 1))
