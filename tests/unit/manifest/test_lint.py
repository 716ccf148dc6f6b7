"""Advice: useful and quiet."""

import pytest

from sealmesh.manifest import lint

ACCESS = {"Config/FeatureGates": ["Access"], "Marbles/shop": {"Package": "oven"}}


def rule(callers, to, *ports):
    return {"From": callers, "To": to, "Ports": list(ports)}


@pytest.fixture
def advice(accepted, keys):
    def find(changes):
        manifest = accepted({"RecoveryKeys/a": keys["strong"]} | changes)
        return [(warning.code.removeprefix("lint."), warning.path) for warning in lint(manifest)]

    return find


def test_a_plain_manifest_gives_none(advice):
    assert advice({}) == []


def test_missing_recovery_keys_are_noticed(accepted):
    assert [warning.code for warning in lint(accepted())] == ["lint.no-recovery-keys"]


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"Packages/oven/Debug": True}, "debug-package", "Packages.oven"),
        ({"Packages/spare": {"UniqueID": "aa" * 32}}, "unused-package", "Packages.spare"),
        ({"Packages/oven/SignerID": "c0ffee"}, "id-not-hex", "Packages.oven.SignerID"),
        (
            {"Packages/oven/AcceptedTCBStatuses": ["Fine"]},
            "unknown-tcb-status",
            "Packages.oven.AcceptedTCBStatuses[0]",
        ),
        (
            {"Packages/oven/AcceptedTCBStatuses": ["Revoked"]},
            "unsafe-tcb-status",
            "Packages.oven.AcceptedTCBStatuses[0]",
        ),
        ({"TLS/t": {}}, "unused-tls-tag", "TLS.t"),
        (
            {"TLS/t/Outgoing": [{"Addr": "a", "Port": "https"}], "Marbles/baker/TLS": ["t"]},
            "port-not-a-number",
            "TLS.t.Outgoing[0].Port",
        ),
        (
            {"Secrets/c": {"Type": "cert-ed25519", "Shared": True, "Cert": {"IsCA": True}}},
            "ca-secret",
            "Secrets.c.Cert.IsCA",
        ),
        (
            {
                "Secrets/k": {"Type": "symmetric-key", "Size": 128},
                "Marbles/baker/Parameters/Env/K": "{{ hex .Secrets.k }}",
            },
            "unlimited-private-secrets",
            "Marbles.baker.MaxActivations",
        ),
        ({"Config/FeatureGates": ["Simulation"], "Simulation": True}, "simulation", "Simulation"),
        (
            {
                "Config/FeatureGates": ["Names"],
                "Marbles/baker/Names": ["a.example", "localhost", "127.0.0.1"],
                "Marbles/shop": {"Package": "oven", "Names": ["A.example", "localhost", "127.0.0.1"]},
            },
            "shared-name",
            "Marbles.shop.Names",
        ),
        (
            ACCESS | {"Access": [rule(["@mesh"], "baker", "*"), rule(["shop"], "baker", "1-5")]},
            "unreachable-rule",
            "Access[1]",
        ),
        (
            ACCESS
            | {
                "Access": [rule(["shop"], "baker", "8080")],
                "TLS/t/Incoming": [{"Port": "8443"}],
                "Marbles/baker/TLS": ["t"],
            },
            "unreachable-rule",
            "Access[0]",
        ),
    ],
)
def test_it_is_noticed(advice, changes, code, path):
    assert advice(changes) == [(code, path)]


def test_idle_roles_and_users_are_noticed(advice, certificates):
    changes = {"Roles/r": {"ResourceType": "Manifest"}, "Users/u": {"Certificate": certificates["ada"]}}
    assert advice(changes) == [
        ("unused-role", "Roles.r"),
        ("role-without-actions", "Roles.r"),
        ("user-without-roles", "Users.u"),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (rule(["shop"], "baker", "1-5"), rule(["@mesh"], "baker", "1-5")),
        (rule(["@mesh"], "baker", "*"), rule(["@anyone"], "baker", "1")),
        (rule(["shop"], "baker", "1-5"), rule(["shop"], "baker", "5-6")),
        (rule(["shop"], "baker", "1"), rule(["shop"], "shop", "1")),
    ],
)
def test_rules_that_add_something_are_left_alone(advice, first, second):
    assert advice(ACCESS | {"Access": [first, second]}) == []
