"""What the chart tells the container is what a Coordinator starts and serves with."""

import json
import ssl
import subprocess
import sys
from pathlib import Path

import coordinator_process
import pytest
from cryptography import x509

from sealmesh.adapters.kubernetes import Chart, Release
from sealmesh.adapters.kubernetes.chart import OWN_CHART

MANIFEST = {
    "Packages": {"p": {"SignerID": "ab" * 32, "ProductID": 1, "SecurityVersion": 1}},
    "Marbles": {"m": {"Package": "p"}},
}


def container(**values):
    objects = Chart(OWN_CHART).render(values, Release(namespace="space")).objects
    deployment = next(item for item in objects if item["kind"] == "Deployment")
    return deployment["spec"]["template"]["spec"]["containers"][0]


def process(directory: Path, **values):
    """A Coordinator with the container's environment; its folders and ports are this machine's."""
    variables = {entry["name"]: entry["value"] for entry in container(**values)["env"]}
    made = coordinator_process.CoordinatorProcess(directory, SEALMESH_COMPAT="")
    local = {name: text.replace("/state", str(directory)) for name, text in variables.items()}
    local |= {"HOME": str(directory / "home")}
    local |= {
        "SEALMESH_MESH_ADDR": f"127.0.0.1:{made.mesh}",
        "SEALMESH_CLIENT_ADDR": f"127.0.0.1:{made.client}",
    }
    made.environment |= local
    return made


@pytest.fixture(scope="module")
def coordinator(tmp_path_factory):
    directory = tmp_path_factory.mktemp("container")
    running = process(
        directory, simulation=True, coordinator={"domain": "mesh.example", "workers": 2}
    ).start()
    yield running
    running.kill()


def sealmesh(coordinator, *arguments: str):
    done = subprocess.run(
        [sys.executable, "-m", "sealmesh.cli", *arguments],
        env=coordinator.environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_probes_path_answers(coordinator):
    probe = container(simulation=True)["readinessProbe"]["httpGet"]
    assert (probe["scheme"], probe["port"]) == ("HTTPS", "client")
    status, _ = coordinator.request("GET", probe["path"])
    assert status == 200


def test_its_certificate_has_the_services_names(coordinator):
    pem = ssl.get_server_certificate(("127.0.0.1", coordinator.client))
    names = x509.load_pem_x509_certificate(pem.encode()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert {
        "localhost",
        "mesh.example",
        "coordinator-mesh-api.space",
        "coordinator-client-api.space.svc",
    } <= set(names.value.get_values_for_type(x509.DNSName))


def test_it_serves_from_as_many_processes_as_were_asked_for(coordinator):
    assert len(coordinator.workers()) == 2


def test_a_user_recognizes_it_by_the_policy_that_its_pod_prints(coordinator):
    policy = coordinator.directory / "policy.json"
    policy.write_text(sealmesh(coordinator, "coordinator", "--print-policy"))
    (coordinator.directory / "manifest.json").write_text(json.dumps(MANIFEST))
    address = f"127.0.0.1:{coordinator.client}"
    sealmesh(coordinator, "manifest", "set", str(coordinator.directory / "manifest.json"), address,
             "--policy", str(policy))  # fmt: skip
    assert "simulat" in sealmesh(coordinator, "status", address, "--policy", str(policy)).lower()


def test_its_state_is_all_on_the_volume(coordinator):
    assert {path.name for path in coordinator.directory.iterdir()} >= {"seal", "platform"}
    assert not (coordinator.directory / "home" / ".local").exists()


def test_without_simulation_and_without_an_enclave_it_refuses_to_start(tmp_path):
    tee = {"resources": {"sgx.intel.com/epc": "1"}, "attester": f"gramine:{tmp_path}/attestation"}
    stopped = process(tmp_path, tee=tee)
    assert stopped.exit_code() != 0
    assert "Gramine gives no SGX quote" in stopped.log
