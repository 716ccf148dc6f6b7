"""Questions to a cluster, answered by a stand-in for `kubectl`."""

import json
from pathlib import Path

import pytest

from sealmesh.cli import main


def deployment(name: str, ready: int, wanted: int = 1) -> dict[str, object]:
    return {"metadata": {"name": name}, "spec": {"replicas": wanted}, "status": {"readyReplicas": ready}}


def node(name: str, **resources: str) -> dict[str, object]:
    return {"metadata": {"name": name}, "status": {"allocatable": resources}}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch):
    """Let `kubectl` answer with these items; its arguments go to a file."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def answer(items: list[dict[str, object]] | None, text: str | None = None) -> Path:
        (tmp_path / "answer").write_text(text if text is not None else json.dumps({"items": items}))
        fails = "" if items is not None or text is not None else 'echo "no route to it" >&2; exit 1'
        script = f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{fails}\n/bin/cat {tmp_path}/answer\n'
        (tmp_path / "kubectl").write_text(script)
        (tmp_path / "kubectl").chmod(0o755)
        return tmp_path / "asked"

    return answer


def test_a_ready_control_plane_is_told(cluster, capsys) -> None:
    asked = cluster([deployment("marblerun-coordinator", 1), deployment("marble-injector", 2, 2)])
    assert main(["check", "-n", "mine", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["marblerun-coordinator"] == {"ready": 1, "wanted": 1}
    assert "--namespace mine get deployments" in asked.read_text()


def test_a_control_plane_that_does_not_get_ready_fails_the_check(cluster, capsys) -> None:
    cluster([deployment("marblerun-coordinator", 0)])
    assert main(["check", "--timeout", "0"]) == 1
    assert "pods ready: 0/1" in capsys.readouterr().err


def test_a_namespace_without_a_coordinator_fails_the_check_at_once(cluster, capsys) -> None:
    cluster([deployment("marble-injector", 1)])
    assert main(["check", "--timeout", "600"]) == 1
    assert "no Coordinator in the namespace" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "precheck"])
@pytest.mark.parametrize("text", [None, "nonsense"])
def test_a_cluster_that_cannot_be_asked_is_told_as_such(cluster, capsys, command: str, text) -> None:
    cluster(None, text)
    assert main([command]) == 1
    assert capsys.readouterr().err.startswith("error [cluster]")


def test_without_kubectl_it_says_so(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["precheck"]) == 1
    assert "kubectl is not installed" in capsys.readouterr().err


def test_nodes_with_sgx_are_counted(cluster, capsys) -> None:
    cluster([node("a", **{"sgx.intel.com/enclave": "20"}), node("b", cpu="4")])
    assert main(["precheck"]) == 0
    assert "on 1 of 2 nodes" in capsys.readouterr().out


def test_a_cluster_without_sgx_fails(cluster, capsys) -> None:
    cluster([node("b", cpu="4", **{"sgx.intel.com/epc": "0"})])
    assert main(["precheck"]) == 1
    assert "no node of the cluster offers SGX" in capsys.readouterr().err
