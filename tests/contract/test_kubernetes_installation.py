"""`install`, `check`, `precheck`, `uninstall`: the same against a real kube-apiserver and its double."""

import importlib.util
import itertools
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sealmesh.cli import main

INTEGRATION = Path(__file__).resolve().parents[1] / "integration"
NAMES = (f"space-{number}" for number in itertools.count(1))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, INTEGRATION / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


kube_cluster, kube_double = load("kube_cluster"), load("kube_double")
REAL = pytest.param(
    kube_cluster.kube_cluster,
    marks=[
        pytest.mark.slow,
        pytest.mark.skipif(bool(kube_cluster.MISSING), reason=str(kube_cluster.MISSING)),
    ],
    id="real",
)


@pytest.fixture(scope="module", params=[pytest.param(kube_double.kube_double, id="double"), REAL])
def cluster(request, tmp_path_factory):
    with request.param(tmp_path_factory.mktemp("kube")) as running:
        yield running


@pytest.fixture
def space(cluster, monkeypatch) -> str:
    """A namespace of this test's own, which does not exist yet."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig()))
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    return next(NAMES)


@pytest.fixture
def sealmesh(space, capsys):
    """Run a command in the namespace; its JSON document."""

    def run(*arguments: str, code: int = 0):
        assert main([*arguments, "-n", space, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run


def actions(document) -> dict[str, str]:
    return {f"{item['kind']}/{item['name']}": item["action"] for item in document["objects"]}


def everything(cluster, space: str) -> set[str]:
    """Return what is in the namespace, without what the cluster puts into every one."""
    paths = ("configmaps", "serviceaccounts", "services", "persistentvolumeclaims")
    places = [f"/api/v1/namespaces/{space}/{path}" for path in paths]
    places.append(f"/apis/apps/v1/namespaces/{space}/deployments")
    found = {
        f"{path.rpartition('/')[2]}/{i['metadata']['name']}" for path in places for i in cluster.items(path)
    }
    return found - {"configmaps/kube-root-ca.crt", "serviceaccounts/default"}


INSTALLED = {
    "configmaps/sealmesh-installation",
    "serviceaccounts/marblerun-coordinator",
    "services/coordinator-mesh-api",
    "services/coordinator-client-api",
    "persistentvolumeclaims/coordinator-state",
    "deployments/marblerun-coordinator",
}


def test_install_makes_a_namespace_and_what_is_needed_in_it(cluster, space, sealmesh):
    made = sealmesh("install", "--simulation")
    assert set(actions(made).values()) == {"created"}
    assert made["simulation"] is True
    assert made["injector"] is False
    assert everything(cluster, space) == INSTALLED


def test_installing_again_changes_nothing(sealmesh):
    sealmesh("install", "--simulation")
    assert set(actions(sealmesh("install", "--simulation")).values()) == {"unchanged"}


def test_installing_again_with_other_options_updates_and_drops_what_is_not_wanted_any_more(
    cluster, space, sealmesh, tmp_path
):
    (tmp_path / "qcnl").write_text('{"pccs_url": "https://pccs:8081/sgx/certification/v4/"}')
    made = sealmesh("install", "--simulation", "--dcap-qcnl-config-file", str(tmp_path / "qcnl"))
    assert actions(made)["ConfigMap/coordinator-dcap"] == "created"
    again = actions(sealmesh("install", "--simulation", "--client-server-port", "5000"))
    assert again["Service/coordinator-client-api"] == "updated"
    assert again["Service/coordinator-mesh-api"] == "unchanged"
    assert again["Deployment/marblerun-coordinator"] == "updated"
    assert again["ConfigMap/coordinator-dcap"] == "removed"
    assert everything(cluster, space) == INSTALLED


def test_uninstall_removes_what_install_made_but_the_state_and_nothing_of_others(cluster, space, sealmesh):
    sealmesh("install", "--simulation")
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}}
    cluster.create(f"/api/v1/namespaces/{space}/configmaps", theirs)
    gone = actions(sealmesh("uninstall"))
    assert gone.pop("PersistentVolumeClaim/coordinator-state") == "kept"
    assert set(gone.values()) == {"removed"}
    assert everything(cluster, space) == {
        "configmaps/theirs", "configmaps/sealmesh-installation", "persistentvolumeclaims/coordinator-state",
    }  # fmt: skip


def test_the_state_is_found_again_by_the_next_installation(cluster, space, sealmesh):
    sealmesh("install", "--simulation")
    path = f"/api/v1/namespaces/{space}/persistentvolumeclaims"
    before = cluster.items(path)[0]["metadata"]["uid"]
    sealmesh("uninstall")
    again = actions(sealmesh("install", "--simulation"))
    assert again["PersistentVolumeClaim/coordinator-state"] == "unchanged"
    assert again["Deployment/marblerun-coordinator"] == "created"
    assert cluster.items(path)[0]["metadata"]["uid"] == before


def test_the_state_goes_only_when_that_is_said(cluster, space, sealmesh):
    sealmesh("install", "--simulation")
    sealmesh("uninstall")
    error = sealmesh("uninstall", code=1)["error"]
    assert error["code"] == "not-installed"
    assert "--delete-state" in error["remedy"]
    assert "persistentvolumeclaims/coordinator-state" in everything(cluster, space)
    sealmesh("uninstall", "--delete-state")
    assert everything(cluster, space) == set()


def test_nothing_to_uninstall_is_an_error(sealmesh):
    assert sealmesh("uninstall", code=1)["error"]["code"] == "not-installed"


def test_what_something_else_made_stops_the_installation_before_it_changes_anything(cluster, space, sealmesh):
    cluster.create(
        "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}
    )
    labels = {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "marblerun"}
    theirs = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "coordinator-client-api", "labels": labels},
        "spec": {"ports": [{"port": 4433}]},
    }
    cluster.create(f"/api/v1/namespaces/{space}/services", theirs)
    error = sealmesh("install", "--simulation", code=1)["error"]
    assert error["code"] == "not-ours"
    assert "service/coordinator-client-api" in error["found"]
    assert everything(cluster, space) == {"services/coordinator-client-api"}
    service = cluster.items(f"/api/v1/namespaces/{space}/services")[0]
    assert service["metadata"]["labels"] == labels


def test_an_object_that_lost_our_label_is_left_alone_by_uninstall(cluster, space, sealmesh):
    sealmesh("install", "--simulation")
    inventory = f"/api/v1/namespaces/{space}/configmaps"
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coordinator-dcap"}}
    cluster.create(inventory, theirs)
    sealmesh("uninstall", "--delete-state")
    assert everything(cluster, space) == {"configmaps/coordinator-dcap"}


def test_somebody_without_rights_is_told_so_and_nothing_is_made(cluster, space, sealmesh, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig("guest")))
    error = sealmesh("install", "--simulation", code=1)["error"]
    assert error["code"] == "cluster-refused"
    assert "guest" in error["found"]
    assert everything(cluster, space) == set()
    for command in ("check", "precheck", "uninstall"):
        assert sealmesh(command, code=1)["error"]["code"] == "cluster-refused"


def test_a_stranger_is_told_so(cluster, sealmesh, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig("stranger")))
    error = sealmesh("precheck", code=1)["error"]
    assert (error["code"], error["message"]) == ("cluster-refused", "the cluster does not know you")


def test_a_dry_run_asks_no_cluster(cluster, space, sealmesh, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    kinds = {item["kind"] for item in sealmesh("install", "--simulation", "--dry-run")["objects"]}
    assert kinds == {"ServiceAccount", "PersistentVolumeClaim", "Service", "Deployment"}
    assert everything(cluster, space) == set()


def test_a_namespace_without_a_coordinator_fails_the_check_at_once(sealmesh):
    error = sealmesh("check", "--timeout", "600", code=1)["error"]
    assert error["code"] == "not-installed"
    assert "no Coordinator in the namespace" in error["message"]


def test_a_coordinator_that_does_not_get_ready_fails_the_check(sealmesh):
    sealmesh("install", "--simulation")
    error = sealmesh("check", "--timeout", "0.1", code=1)["error"]
    assert error["code"] == "not-ready"
    assert "marblerun-coordinator: 0 of 1 pods ready" in error["found"]


def test_a_cluster_without_sgx_is_told_so_by_precheck_and_gets_no_coordinator_that_needs_it(
    cluster, space, sealmesh
):
    for command in (["precheck"], ["install", "--image", "registry.example/own:1"]):
        error = sealmesh(*command, code=1)["error"]
        assert error["code"] == "cluster"
        assert "no node of the cluster offers SGX" in error["message"]
    assert everything(cluster, space) == set()


def test_nodes_with_sgx_are_counted_and_their_resource_is_what_the_coordinator_asks_for(
    cluster, space, sealmesh
):
    key = "kubernetes.azure.com/sgx_epc_mem_in_MiB"
    for name, offered in (("with", {key: "1024"}), ("without", {"cpu": "4"})):
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"{name}-{space}"}}
        cluster.create("/api/v1/nodes", node | {"status": {"allocatable": offered, "capacity": offered}})
    found = sealmesh("precheck")
    assert f"with-{space}" in found["nodes"]
    assert f"without-{space}" not in found["nodes"]
    assert f"with-{space}" in found["resources"][key]
    assert sealmesh("precheck", "--resource-key", "sgx.example/none", code=1)["error"]["code"] == "cluster"
    sealmesh("install", "--image", "registry.example/own:1")
    deployment = cluster.items(f"/apis/apps/v1/namespaces/{space}/deployments")[0]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"][key] == "512"
    assert deployment["metadata"]["labels"]["sealmesh/tee"] == "hardware"
