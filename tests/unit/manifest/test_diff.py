"""What an update does."""

import pytest

from sealmesh.manifest import PortRange, SecretFate, diff
from sealmesh.manifest.diff import Changes, Edge

KEY = {"Type": "symmetric-key", "Size": 128, "Shared": True}


def access(*rules):
    return {
        "Config/FeatureGates": ["Access"],
        "Marbles/shop": {"Package": "oven"},
        "Access": [{"From": callers, "To": to, "Ports": list(ports)} for callers, to, *ports in rules],
    }


def edge(caller, callee, *ports):
    return Edge(
        caller=caller, callee=callee, ports=tuple(PortRange(first=first, last=last) for first, last in ports)
    )


def test_nothing_changes_between_equal_manifests(accepted):
    result = diff(accepted(), accepted())
    assert result.packages == result.marbles == Changes()
    assert (result.opened, result.closed, result.config, dict(result.secrets)) == ((), (), (), {})
    assert not result.new_recovery_secrets


def test_things_that_come_go_and_change_are_named(accepted, remove):
    result = diff(
        accepted({"Packages/old": {"UniqueID": "a"}, "Marbles/shop": {"Package": "old"}}),
        accepted({"Packages/new": {"UniqueID": "a"}, "Packages/oven/SecurityVersion": 4}),
    )
    assert result.packages == Changes(added=("new",), removed=("old",), changed=("oven",))
    assert result.marbles == Changes(removed=("shop",))


@pytest.mark.parametrize(
    ("before", "after", "rotate", "fate"),
    [
        (KEY, KEY, False, SecretFate.KEPT),
        (KEY, KEY, True, SecretFate.REMADE),
        (KEY, KEY | {"Size": 256}, False, SecretFate.RESET),
        (None, KEY, False, SecretFate.CREATED),
        (KEY, None, False, SecretFate.DROPPED),
        (
            {"Type": "cert-ed25519"},
            {"Type": "cert-ed25519", "Cert": {"DNSNames": ["a"]}},
            False,
            SecretFate.REMADE,
        ),
        (
            {"Type": "plain", "UserDefined": True},
            {"Type": "plain", "UserDefined": True},
            True,
            SecretFate.KEPT,
        ),
        (
            {"Type": "plain", "UserDefined": True},
            {"Type": "plain", "UserDefined": True, "Shared": True},
            False,
            SecretFate.AWAITS_UPLOAD,
        ),
        (None, {"Type": "plain", "UserDefined": True}, False, SecretFate.AWAITS_UPLOAD),
    ],
)
def test_the_fate_of_a_secret_is_foretold(accepted, before, after, rotate, fate):
    old = accepted({"Secrets": {"s": before} if before else {}})
    new = accepted({"Secrets": {"s": after} if after else {}, "Config/RotateRootSecret": rotate})
    assert diff(old, new).secrets == {"s": fate}


def test_edges_open_and_close_port_by_port(accepted):
    old = accepted(access((["shop"], "baker", "1-10"), (["baker"], "shop", "5")))
    new = accepted(access((["shop"], "baker", "5", "8-12")))
    result = diff(old, new)
    assert result.opened == (edge("shop", "baker", (11, 12)),)
    assert result.closed == (edge("baker", "shop", (5, 5)), edge("shop", "baker", (1, 4), (6, 7)))


def test_access_rules_close_what_everybody_could_before(accepted):
    old = accepted({"Marbles/shop": {"Package": "oven"}})
    new = accepted(access((["shop"], "baker", "5")))
    result = diff(old, new)
    assert result.opened == ()
    assert result.closed == (edge("@mesh", "baker", (1, 65535)), edge("@mesh", "shop", (1, 65535)))


def test_letting_anyone_in_is_shown_although_the_mesh_could(accepted):
    old = accepted(access((["@mesh"], "baker", "*")))
    new = accepted(access((["@anyone"], "baker", "443")))
    assert diff(old, new).opened == (edge("@anyone", "baker", (443, 443)),)


def test_the_same_recovery_threshold_written_otherwise_is_no_change(accepted, keys):
    both = {"RecoveryKeys": {"a": keys["strong"], "b": keys["strong"]}}
    old, new = accepted(both), accepted(both | {"Config/RecoveryThreshold": 2})
    assert not diff(old, new).new_recovery_secrets
    assert diff(accepted(), old).new_recovery_secrets
