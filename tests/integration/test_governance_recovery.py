"""A real Coordinator that lost its key, whose manifest reserves recovery and reset to several."""

import base64
import json
import time
from pathlib import Path

import pytest
import test_cli_coordinator as operator
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sealmesh.cli import main
from sealmesh.demo.programs import listening

pytestmark = pytest.mark.xdist_group("governance_recovery")
PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
PUBLIC = serialization.PublicFormat.SubjectPublicKeyInfo


def key_file(path: Path, key) -> str:
    """Write the private key, return the public one."""
    path.write_bytes(key.private_bytes(PEM, PKCS8, serialization.NoEncryption()))
    return key.public_key().public_bytes(PEM, PUBLIC).decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("recovery")


@pytest.fixture(scope="module")
def coordinator(folder):
    """It has a state, and its sealed key is gone."""
    owner = key_file(folder / "owner.pem", rsa.generate_private_key(65537, 3072))
    people = {
        name: {"Keys": [key_file(folder / f"{name}.pem", ec.generate_private_key(ec.SECP256R1()))]}
        for name in ("alice", "bob")
    }
    both = {"Threshold": 2}
    document = operator.MANIFEST | {
        "RecoveryKeys": {"owner": owner},
        "Config": {"FeatureGates": ["Simulation", "Governance"]},
        "Governance": {
            "Approvers": people,
            "Rules": {"UpdateManifest": both, "Recover": both, "Reset": both},
        },
    }
    (folder / "manifest.json").write_text(json.dumps(document))
    (folder / "other.json").write_text(json.dumps(operator.MANIFEST))
    running = operator.Running(folder, "--reset-state")
    policy = operator.subprocess.run(
        [*operator.COORDINATOR, *running.options, "--print-policy"], capture_output=True, check=True
    )
    (folder / "policy.json").write_bytes(policy.stdout)
    running.start()
    try:
        yield running
    finally:
        running.kill()


@pytest.fixture
def cli(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))

    def run(*words: str) -> tuple[int, dict]:
        code = main([*words, "--json"])
        out, err = capsys.readouterr()
        assert out, err
        return code, json.loads(out)

    return run


def lose_the_key(coordinator) -> None:
    coordinator.kill()
    (coordinator.folder / "state" / "sealed_key").unlink()
    coordinator.start()
    deadline = time.monotonic() + 30
    while not listening(coordinator.client):
        assert time.monotonic() < deadline
        time.sleep(0.02)


VERIFIED = ("--policy", "policy.json")


def test_owner_and_operator_alone_can_neither_recover_nor_reset(coordinator, cli, folder):
    here = coordinator.address
    code, said = cli("manifest", "set", "manifest.json", here, *VERIFIED)
    assert code == 0
    (folder / "share").write_bytes(base64.b64decode(said["RecoverySecrets"]["owner"]))
    lose_the_key(coordinator)

    code, said = cli("recover", "share", here, "--key", "owner.pem", *VERIFIED)
    assert code == 1
    assert "reserves Recover to several" in said["error"]["message"]
    code, said = cli("manifest", "set", "other.json", here, *VERIFIED)  # with --reset-state
    assert code == 1
    assert "reserves Reset to several" in said["error"]["message"]
    assert cli("status", here, *VERIFIED)[1]["code"] == 1


def test_with_two_approvals_for_this_very_coordinator_the_owner_recovers(coordinator, cli, folder):
    here = coordinator.address
    code, shown = cli("governance", "show", here, *VERIFIED, "-o", "mesh.json")
    assert (code, shown["manifest"], set(shown["rules"])) == (0, None, {"Recover", "Reset"})
    assert shown["root"] != shown["coordinator"]
    for name in ("alice", "bob"):
        made = cli(
            *("approve", "make", "--act", "Recover", "--mesh", "mesh.json", "--key", f"{name}.pem"),
            *("--reason", "the disk burnt", "-o", f"{name}.approval"),
        )
        assert made[0] == 0
    assert cli("approve", "submit", "alice.approval", here, *VERIFIED)[0] == 0
    assert cli("recover", "share", here, "--key", "owner.pem", *VERIFIED)[0] == 1
    code, said = cli("approve", "submit", "bob.approval", here, *VERIFIED)
    assert (code, said["approvals"][0]["missing"]) == (0, 0)
    assert cli("recover", "share", here, "--key", "owner.pem", *VERIFIED)[0] == 0
    assert cli("status", here, *VERIFIED)[1]["code"] == 3
    _, said = cli("manifest", "log", here, *VERIFIED)
    assert json.loads(said["log"][-1])["approvers"] == ["alice", "bob"]


def test_the_same_approvals_do_not_recover_it_again(coordinator, cli, folder):
    here = coordinator.address
    lose_the_key(coordinator)
    code, said = cli("approve", "submit", "alice.approval", "bob.approval", here, *VERIFIED)
    assert code == 1
    assert said["error"]["code"] == "approval-other-coordinator"
    assert cli("recover", "share", here, "--key", "owner.pem", *VERIFIED)[0] == 1
    assert cli("status", here, *VERIFIED)[1]["code"] == 1


def test_two_approve_the_reset_for_one_manifest_and_it_is_set(coordinator, cli, folder):
    here = coordinator.address
    assert cli("governance", "show", here, *VERIFIED, "-o", "mesh.json")[0] == 0
    for name in ("alice", "bob"):
        made = cli(
            *("approve", "make", "--act", "Reset", "--file", "other.json", "--mesh", "mesh.json"),
            *("--key", f"{name}.pem", "--reason", "the shares are lost", "-o", f"{name}.reset"),
        )
        assert made[0] == 0
    assert cli("approve", "submit", "alice.reset", "bob.reset", here, *VERIFIED)[0] == 0
    (folder / "another.json").write_text(json.dumps(operator.MANIFEST, indent=1))
    assert cli("manifest", "set", "another.json", here, *VERIFIED)[0] == 1
    assert cli("manifest", "set", "other.json", here, *VERIFIED)[0] == 0
    assert cli("status", here, *VERIFIED)[1]["code"] == 3
