"""What only a real kube-apiserver shows: admission, fields of others, controllers, plugins, Helm, kubectl."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import kube_cluster
import pytest
import yaml

from sealmesh.adapters.kubernetes.chart import OWN_CHART
from sealmesh.cli import main

HELM = shutil.which("helm", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(kube_cluster.MISSING), reason=str(kube_cluster.MISSING)),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with kube_cluster.kube_cluster(tmp_path_factory.mktemp("kube")) as running:
        yield running


@pytest.fixture
def sealmesh(cluster, monkeypatch, capsys):
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig()))
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")

    def run(*arguments: str, code: int = 0):
        assert main([*arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run


def deployment(cluster, namespace: str):
    return cluster.items(f"/apis/apps/v1/namespaces/{namespace}/deployments")[0]


def test_the_pod_is_admitted_where_only_restricted_ones_are(cluster, sealmesh):
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "strict", "labels": labels}}
    cluster.create("/api/v1/namespaces", namespace)
    sealmesh("install", "--simulation", "-n", "strict")
    (pod,) = cluster.pods("strict")
    assert pod["metadata"]["labels"]["sealmesh/tee"] == "simulated"
    assert "nothing protects" in pod["metadata"]["annotations"]["sealmesh/simulation"]
    assert all(volume["name"] in {"state", "scratch"} for volume in pod["spec"]["volumes"])  # no token


def test_check_waits_until_the_pod_serves_and_says_what_it_waits_for(cluster, sealmesh):
    sealmesh("install", "--simulation", "-n", "waits")
    (pod,) = cluster.pods("waits")
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
    container = {"name": "coordinator", "image": "i", "imageID": "", "ready": False, "restartCount": 0}
    cluster.say(pod, {"containerStatuses": [{**container, "state": {"waiting": waiting}}]})
    error = sealmesh("check", "-n", "waits", "--timeout", "0.2", code=1)["error"]
    assert f"{pod['metadata']['name']}: ImagePullBackOff Back-off pulling image" in error["found"]
    serving = threading.Timer(1, cluster.serve, [pod])
    serving.start()
    assert sealmesh("check", "-n", "waits") == {"marblerun-coordinator": {"ready": 1, "wanted": 1}}
    serving.join()


def test_check_is_not_content_with_the_pod_from_before_an_update(cluster, sealmesh):
    sealmesh("install", "--simulation", "-n", "updates")
    cluster.serve(cluster.pods("updates")[0])
    sealmesh("check", "-n", "updates")
    sealmesh("install", "--simulation", "-n", "updates", "--version", "9.9")
    assert sealmesh("check", "-n", "updates", "--timeout", "0.2", code=1)["error"]["code"] == "not-ready"


def test_a_field_that_somebody_else_set_is_taken_over_only_when_that_is_said(cluster, sealmesh):
    sealmesh("install", "--simulation", "-n", "shared")
    path = "/apis/apps/v1/namespaces/shared/deployments/marblerun-coordinator"
    cluster.api.patch(
        f"{path}?fieldManager=somebody",
        content=json.dumps({"spec": {"replicas": 0}}),
        headers={"content-type": "application/merge-patch+json"},
    ).raise_for_status()
    error = sealmesh("install", "--simulation", "-n", "shared", code=1)["error"]
    assert error["code"] == "cluster-conflict"
    assert "somebody" in error["found"]
    assert deployment(cluster, "shared")["spec"]["replicas"] == 0
    sealmesh("install", "--simulation", "-n", "shared", "--force-conflicts")
    assert deployment(cluster, "shared")["spec"]["replicas"] == 1


def test_what_the_cluster_will_refuse_is_known_before_anything_is_made(cluster, sealmesh, monkeypatch):
    """Somebody who may do everything in the namespace but make Deployments."""
    cluster.create("/api/v1/namespaces", {"metadata": {"name": "tenancy"}})
    rights = "/apis/rbac.authorization.k8s.io/v1/namespaces/tenancy"
    rules = [{"apiGroups": [""], "resources": ["*"], "verbs": ["*"]},
             {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list"]}]  # fmt: skip
    cluster.create(f"{rights}/roles", {"metadata": {"name": "most"}, "rules": rules})
    binding = {
        "metadata": {"name": "most"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "most"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "tenant"}],
    }
    cluster.create(f"{rights}/rolebindings", binding)
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig("tenant")))
    error = sealmesh("install", "--simulation", "-n", "tenancy", code=1)["error"]
    assert error["code"] == "cluster-refused"
    assert "deployments" in error["found"]
    assert cluster.items("/api/v1/namespaces/tenancy/services") == []
    assert cluster.items("/api/v1/namespaces/tenancy/persistentvolumeclaims") == []


def test_uninstall_takes_the_pods_with_it_and_a_namespace_can_be_used_again(cluster, sealmesh):
    sealmesh("install", "--simulation", "-n", "goes")
    cluster.pods("goes")
    sealmesh("uninstall", "-n", "goes", "--delete-state")
    cluster.pods("goes", count=0)
    sealmesh("install", "--simulation", "-n", "goes")


def test_a_plugin_gives_the_credentials(cluster, sealmesh, monkeypatch, tmp_path):
    plugin = tmp_path / "plugin"
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    answer["status"] = {"token": "admin-token"}
    plugin.write_text(
        f"#!/bin/sh\necho \"$KUBERNETES_EXEC_INFO $1 $KEY\" > {tmp_path}/asked\necho '{json.dumps(answer)}'\n"
    )
    plugin.chmod(0o755)
    config = yaml.safe_load(cluster.kubeconfig().read_text())
    config["clusters"][0]["cluster"]["tls-server-name"] = "kubernetes.default.svc"
    config["users"][0]["user"] = {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "args": ["login"],
        "env": [{"name": "KEY", "value": "worth"}], "interactiveMode": "Never", "provideClusterInfo": True,
    }}  # fmt: skip
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    sealmesh("install", "--simulation", "-n", "plugged")
    asked = (tmp_path / "asked").read_text()
    assert cluster.server in asked
    assert asked.endswith("login worth\n")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl")
def test_kubectl_applies_what_a_dry_run_prints(cluster, capsys):
    assert main(["install", "--simulation", "--dry-run", "-n", "default"]) == 0
    done = subprocess.run(
        ["kubectl", "--kubeconfig", cluster.kubeconfig(), "apply", "--dry-run=server", "-f", "-"],
        input=capsys.readouterr().out,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("created (server dry run)") == 5


@pytest.mark.skipif(HELM is None, reason="no helm")
def test_helm_installs_the_chart_and_our_command_leaves_that_alone(cluster, sealmesh):
    helm = [HELM, "--kubeconfig", cluster.kubeconfig(), "-n", "helmed"]
    command = [*helm, "install", "marblerun", OWN_CHART, "--create-namespace", "--set", "simulation=true"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "SIMULATION" in done.stdout
    before = deployment(cluster, "helmed")["metadata"]["uid"]
    assert sealmesh("install", "--simulation", "-n", "helmed", code=1)["error"]["code"] == "not-ours"
    assert sealmesh("uninstall", "-n", "helmed", code=1)["error"]["code"] == "not-installed"
    assert deployment(cluster, "helmed")["metadata"]["uid"] == before


@pytest.mark.skipif(HELM is None, reason="no helm")
def test_helm_leaves_alone_what_our_command_installed(cluster, sealmesh):
    sealmesh("install", "--simulation", "-n", "ours")
    helm = [HELM, "--kubeconfig", cluster.kubeconfig(), "-n", "ours"]
    command = [*helm, "install", "marblerun", OWN_CHART, "--set", "simulation=true"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "invalid ownership metadata" in done.stderr
    kept = sealmesh("install", "--simulation", "-n", "ours")
    assert {item["action"] for item in kept["objects"]} == {"unchanged"}


@pytest.mark.skipif(HELM is None, reason="no helm")
@pytest.mark.parametrize("values", [
    {"simulation": True},
    {"tee": {"resources": {"sgx.intel.com/epc": "512Mi"}}, "image": {"digest": "sha256:" + "0" * 64}},
    {"simulation": True, "dcap": {"ca": "a<b>\n-----é\n", "qcnl": '{"x": 1}', "endorser": "pccs:https://x"},
     "coordinator": {"domain": "a.example", "clientServerPort": 5, "compat": "a,b", "workers": 3,
                     "environment": [{"name": "A", "value": "b"}], "nodeSelector": {"a": "b"},
                     "tolerations": [{"key": "sgx", "operator": "Exists"}]},
     "image": {"pullSecrets": ["s"], "tag": "1"}, "state": {"storageClass": "fast", "size": "2Gi"}},
])  # fmt: skip
def test_helm_renders_the_chart_as_we_do(values, tmp_path):
    from sealmesh.adapters.kubernetes import Chart, Release

    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
    done = subprocess.run(
        [HELM, "template", "marblerun", OWN_CHART, "-n", "space", "-f", tmp_path / "values.yaml"],
        capture_output=True, text=True, check=True, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    theirs = [item for item in yaml.safe_load_all(done.stdout) if item]
    ours = Chart(OWN_CHART).render(values, Release(namespace="space", service="Helm")).objects

    def key(item):
        return item["kind"], item["metadata"]["name"]

    assert sorted(ours, key=key) == sorted(theirs, key=key)
