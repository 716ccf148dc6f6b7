"""Who is let in, by which rule, and what a refused caller is told."""

import subprocess
import sys

import pytest

from sealmesh.errors.policy import PolicyError
from sealmesh.policy import (
    ALL_PORTS,
    ANYONE,
    MESH,
    UNAUTHENTICATED,
    UNRESTRICTED_MESH,
    AccessPolicy,
    Caller,
    PortRange,
    PortSet,
    Rule,
    decide,
    may_call,
)


def rule(callers: str, to: str, ports: PortSet = ALL_PORTS) -> Rule:
    return Rule(from_=frozenset(callers.split()), to=to, ports=ports)


BOOKSTORE = AccessPolicy(
    (
        rule("buyer", "store", PortSet.of(8443)),
        rule("store", "warehouse", PortSet((PortRange(9000, 9010),))),
        rule("@anyone", "store", PortSet.of(443)),
        rule("@mesh", "metrics"),
    )
)


@pytest.mark.parametrize(
    ("caller", "callee", "port", "allowed_by"),
    [
        ("buyer", "store", 8443, 0),
        ("thief", "store", 8443, None),
        ("buyer", "warehouse", 9000, None),
        ("store", "warehouse", 9010, 1),
        ("store", "warehouse", 9011, None),
        ("thief", "store", 443, 2),
        (None, "store", 443, 2),
        (None, "store", 8443, None),
        (None, "metrics", 1, None),
        ("thief", "metrics", 1, 3),
        ("store", "buyer", 8443, None),
        ("@mesh", "store", 8443, None),
        ("@anyone", "store", 8443, None),
        ("buyer", "store", 0, None),
        ("buyer", "store", 65536, None),
        ("buyer", "Store", 8443, None),
    ],
)
def test_the_first_matching_rule_decides(caller, callee, port, allowed_by):
    decision = decide(BOOKSTORE, caller=Caller(caller), callee_type=callee, port=port)
    assert (decision.allowed, decision.rule) == (allowed_by is not None, allowed_by)


def test_no_rules_refuse_everything():
    decision = decide(AccessPolicy(()), caller=Caller("a"), callee_type="b", port=1)
    assert not decision.allowed
    assert "no rule allows anybody" in decision.explanation


def test_without_access_rules_the_mesh_is_open_and_closed_to_others():
    assert decide(UNRESTRICTED_MESH, caller=Caller("a"), callee_type="b", port=1).allowed
    assert not decide(UNRESTRICTED_MESH, caller=UNAUTHENTICATED, callee_type="b", port=1).allowed


def test_the_dialling_side_asks_for_any_port():
    assert may_call(BOOKSTORE, "buyer", "store").allowed
    assert may_call(BOOKSTORE, "thief", "store").rule == 2
    assert not may_call(BOOKSTORE, "buyer", "warehouse").allowed


def test_a_type_that_is_called_like_a_group_gets_no_rights_of_the_group():
    policy = AccessPolicy((rule("@anyone a", "b"),))
    closed = AccessPolicy((rule("a", "b"),))
    assert decide(policy, caller=Caller("@anyone"), callee_type="b", port=1).allowed
    assert not decide(closed, caller=Caller("@mesh"), callee_type="b", port=1).allowed


@pytest.mark.parametrize(
    ("caller", "callee", "port", "words"),
    [
        ("buyer", "store", 8443, "rule 0 (buyer -> store on port 8443)"),
        ("thief", "store", 8443, "it may on port 443"),
        ("store", "warehouse", 8999, "it may on ports 9000-9010"),
        ("thief", "warehouse", 9000, "only store may"),
        (None, "warehouse", 9000, "Marbles only"),
        ("thief", "bank", 1, "no rule allows anybody"),
    ],
)
def test_the_explanation_says_why(caller, callee, port, words):
    assert words in decide(BOOKSTORE, caller=Caller(caller), callee_type=callee, port=port).explanation


def test_a_decision_is_not_mistaken_for_a_boolean():
    with pytest.raises(TypeError):
        bool(may_call(BOOKSTORE, "thief", "warehouse"))


@pytest.mark.parametrize(
    "build",
    [
        lambda: PortRange(0, 1),
        lambda: PortRange(2, 1),
        lambda: PortRange(1, 65536),
        lambda: PortSet(()),
        lambda: PortSet.of(*range(1, 1003)),
        lambda: rule("", "b"),
        lambda: rule("a", ""),
        lambda: rule("a", ANYONE),
        lambda: rule("@everybody", "b"),
        lambda: rule("a", "@all"),
        lambda: Rule(from_=frozenset({""}), to="b", ports=ALL_PORTS),
        lambda: AccessPolicy((rule("a", "b"),) * 10_001),
    ],
)
def test_rules_that_mean_nothing_are_refused(build):
    with pytest.raises(PolicyError):
        build()


def test_a_rule_may_name_all_marbles_as_callee():
    assert decide(AccessPolicy((rule("a", MESH),)), caller=Caller("a"), callee_type="x", port=9).allowed


def test_the_package_needs_the_standard_library_only():
    code = (
        "import sys; before = set(sys.modules); import sealmesh.policy; "
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before}"
        " - set(sys.stdlib_module_names) - {'sealmesh'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
