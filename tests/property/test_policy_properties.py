"""Whatever the rules: fewer rules let fewer in, and only `@anyone` lets strangers in."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sealmesh.errors.policy import PolicyError
from sealmesh.policy import (
    ANYONE,
    MESH,
    UNAUTHENTICATED,
    AccessPolicy,
    Caller,
    PortRange,
    PortSet,
    Rule,
    decide,
    from_json,
    may_call,
    to_json,
)

TYPES = ["a", "b", "c"]
ranges = st.tuples(st.integers(1, 20), st.integers(0, 5)).map(lambda pair: PortRange(pair[0], sum(pair)))
rules = st.builds(
    Rule,
    from_=st.frozensets(st.sampled_from([*TYPES, MESH, ANYONE]), min_size=1),
    to=st.sampled_from([*TYPES, MESH]),
    ports=st.lists(ranges, min_size=1, max_size=3).map(lambda items: PortSet(tuple(items))),
)
policies = st.lists(rules, max_size=6).map(lambda items: AccessPolicy(tuple(items)))
callers = st.sampled_from([UNAUTHENTICATED, *map(Caller, TYPES)])
callees = st.sampled_from(TYPES)
ports = st.integers(1, 30)


@settings(deadline=None)
@given(policies, callers, callees, ports, st.data())
def test_nobody_gains_access_when_a_rule_is_taken_away(policy, caller, callee, port, data):
    if not policy.rules:
        return
    gone = data.draw(st.integers(0, len(policy.rules) - 1))
    fewer = AccessPolicy(policy.rules[:gone] + policy.rules[gone + 1 :])
    if decide(fewer, caller=caller, callee_type=callee, port=port).allowed:
        assert decide(policy, caller=caller, callee_type=callee, port=port).allowed


@settings(deadline=None)
@given(policies, callees, ports)
def test_strangers_get_in_by_anyone_only(policy, callee, port):
    decision = decide(policy, caller=UNAUTHENTICATED, callee_type=callee, port=port)
    if decision.allowed:
        assert ANYONE in policy.rules[decision.rule].from_


@settings(deadline=None)
@given(policies, callers, callees, ports)
def test_the_named_rule_alone_allows_it_too(policy, caller, callee, port):
    decision = decide(policy, caller=caller, callee_type=callee, port=port)
    alone = AccessPolicy(() if decision.rule is None else (policy.rules[decision.rule],))
    assert decide(alone, caller=caller, callee_type=callee, port=port).allowed == decision.allowed
    assert decision.explanation


@settings(deadline=None)
@given(policies, callees, callees, ports)
def test_who_is_let_in_may_dial(policy, caller, callee, port):
    if decide(policy, caller=Caller(caller), callee_type=callee, port=port).allowed:
        assert may_call(policy, caller, callee).allowed


@settings(deadline=None)
@given(policies)
def test_json_gives_back_the_same_policy(policy):
    assert from_json(to_json(policy)) == policy


names = st.text(min_size=1, max_size=8).filter(lambda name: not name.startswith("@"))


@settings(deadline=None)
@given(names, names)
def test_any_name_survives_json(caller, callee):
    policy = AccessPolicy((Rule(from_=frozenset({caller}), to=callee, ports=PortSet.of(1)),))
    assert from_json(to_json(policy)) == policy


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_policy_or_a_policy_error(raw):
    try:
        policy = from_json(raw)
    except PolicyError:
        return
    assert from_json(to_json(policy)) == policy


@settings(deadline=None)
@given(policies, st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_gives_a_policy_or_a_policy_error(policy, where, byte):
    raw = bytearray(to_json(policy))
    raw[where % len(raw)] = byte
    try:
        from_json(bytes(raw))
    except PolicyError:
        pass
