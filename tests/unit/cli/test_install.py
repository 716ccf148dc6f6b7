"""Every option of `sealmesh install`, as objects; what is refused before a cluster is asked."""

import json
import re

import pytest
import yaml

from sealmesh.cli import main

PCCS = "https://pccs.example:8081/sgx/certification/v4/"


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def rendered(capsys):
    """The objects that options make, by kind and name."""

    def run(*options: str):
        assert main(["install", *options, "--dry-run", "--json"]) == 0
        objects = json.loads(capsys.readouterr().out)["objects"]
        return {f"{item['kind']}/{item['metadata']['name']}": item for item in objects}

    return run


@pytest.fixture
def refused(capsys):
    def run(*options: str):
        assert main(["install", *options, "--json"]) == 1
        return json.loads(capsys.readouterr().out)["error"]

    return run


def container(objects):
    (only,) = objects["Deployment/marblerun-coordinator"]["spec"]["template"]["spec"]["containers"]
    return only


def environment(objects):
    return {entry["name"]: entry["value"] for entry in container(objects)["env"]}


def test_simulation_is_named_everywhere_and_asks_no_device(rendered):
    objects = rendered("--simulation", "--resource-key", "sgx.intel.com/epc")
    assert environment(objects)["SEALMESH_ATTESTER"] == "simulated:/state/platform"
    assert {item["metadata"]["labels"]["sealmesh/tee"] for item in objects.values()} == {"simulated"}
    pod = objects["Deployment/marblerun-coordinator"]["spec"]["template"]["metadata"]
    assert pod["annotations"]["sealmesh/simulation"].startswith("simulated TEE")
    assert set(container(objects)["resources"]["limits"]) == {"memory"}


def test_without_simulation_our_own_image_could_not_prove_itself_so_it_is_refused(refused):
    error = refused()
    assert error["code"] == "install-refused"
    assert "--simulation" in error["wanted"]


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        (None, {"sgx.intel.com/epc": "512Mi", "sgx.intel.com/enclave": "1", "sgx.intel.com/provision": "1"}),
        ("kubernetes.azure.com/sgx_epc_mem_in_MiB", {"kubernetes.azure.com/sgx_epc_mem_in_MiB": "512"}),
        ("tee.example/thing", {"tee.example/thing": "1"}),
    ],
)
def test_a_tee_is_asked_for_by_its_resource_key(rendered, key, asked):
    options = [] if key is None else ["--resource-key", key]
    objects = rendered("--image", "registry.example:5000/team/sealmesh:7", *options)
    limits = container(objects)["resources"]["limits"]
    assert {name: amount for name, amount in limits.items() if name != "memory"} == asked
    assert environment(objects)["OE_SIMULATION"] == "0"
    assert environment(objects)["SEALMESH_ATTESTER"] == "auto"
    assert objects["Deployment/marblerun-coordinator"]["metadata"]["labels"]["sealmesh/tee"] == "hardware"


@pytest.mark.parametrize(
    ("options", "image"),
    [
        (["--version", "1.2.3"], "localhost/sealmesh:1.2.3"),
        (["--image", "registry.example:5000/a/b"], r"registry.example:5000/a/b:\d+\.\d+\.\d+"),
        (["--image", "registry.example/a/b", "--version", "v2"], "registry.example/a/b:v2"),
        (["--image", "a/b:tag"], "a/b:tag"),
        (["--image", "a/b@sha256:" + "ab" * 32], "a/b@sha256:" + "ab" * 32),
        (["--image", "a/b:tag@sha256:" + "ab" * 32], "a/b@sha256:" + "ab" * 32),
    ],
)
def test_the_image_is_the_one_that_is_named(rendered, options, image):
    assert re.fullmatch(image, container(rendered("--simulation", *options))["image"])


def test_ports_are_those_of_the_services(rendered):
    objects = rendered("--simulation", "--client-server-port", "44330", "--mesh-server-port", "20010")
    ports = {name: item["spec"]["ports"][0]["port"] for name, item in objects.items() if "Service/" in name}
    assert ports == {"Service/coordinator-client-api": 44330, "Service/coordinator-mesh-api": 20010}
    assert {port["containerPort"] for port in container(objects)["ports"]} == {2001, 4433}


def test_the_certificates_carry_the_domain_and_the_services_names(rendered):
    names = environment(rendered("--simulation", "--domain", "mesh.example", "-n", "space"))[
        "SEALMESH_DNS_NAMES"
    ]
    assert set(names.split(",")) == {
        "localhost", "mesh.example",
        *(f"coordinator-{api}-api{end}" for api in ("mesh", "client")
          for end in ("", ".space", ".space.svc", ".space.svc.cluster.local")),
    }  # fmt: skip


def test_the_namespace_is_where_everything_goes(rendered):
    assert {item["metadata"]["namespace"] for item in rendered("--simulation", "-n", "space").values()} == {
        "space"
    }


def test_workers_and_relaxations_are_handed_on(rendered):
    found = environment(
        rendered("--simulation", "--workers", "3", "--compat", "lenient-manifest,marblerun-names")
    )
    assert found["SEALMESH_WORKERS"] == "3"
    assert found["SEALMESH_COMPAT"] == "lenient-manifest,marblerun-names"


def test_a_caching_service_is_the_coordinators_endorser(rendered):
    objects = rendered("--simulation", "--dcap-pccs-url", PCCS, "--dcap-secure-cert", "TRUE")
    assert environment(objects)["SEALMESH_ENDORSER"] == f"pccs:{PCCS}"
    assert "ConfigMap/coordinator-dcap" not in objects


def test_a_ca_for_it_is_mounted_where_the_endorser_looks(rendered, tmp_path):
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    objects = rendered("--simulation", "--dcap-pccs-url", PCCS, "--dcap-ca-file", str(tmp_path / "ca.pem"))
    mounts = {mount["mountPath"] for mount in container(objects)["volumeMounts"]}
    assert environment(objects)["SEALMESH_ENDORSER"] == f"pccs:{PCCS}?ca=/etc/sealmesh/dcap/ca.pem"
    assert "/etc/sealmesh/dcap/ca.pem" in mounts
    assert objects["ConfigMap/coordinator-dcap"]["data"] == {"ca.pem": "-----BEGIN CERTIFICATE-----\n"}


@pytest.mark.parametrize(
    "text",
    [
        f'// a comment\n{{"pccs_url": "{PCCS}", // another\n "use_secure_cert": true}}',
        f"# a comment\nPCCS_URL={PCCS}\nUSE_SECURE_CERT=TRUE\n",
    ],
)
def test_a_qcnl_configuration_is_read_and_mounted(rendered, tmp_path, text):
    (tmp_path / "qcnl.conf").write_text(text)
    objects = rendered("--simulation", "--dcap-qcnl-config-file", str(tmp_path / "qcnl.conf"))
    assert environment(objects)["SEALMESH_ENDORSER"] == f"pccs:{PCCS}"
    assert objects["ConfigMap/coordinator-dcap"]["data"] == {"sgx_default_qcnl.conf": text}
    assert "/etc/sgx_default_qcnl.conf" in {
        mount["mountPath"] for mount in container(objects)["volumeMounts"]
    }


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        (["--simulation", "--distributed-deployment"], "several pods"),
        (["--simulation", "-n", "Bad Name"], "no name of one"),
        (["--simulation", "-n", "../kube-system"], "no name of one"),
        (["--simulation", "--dcap-pccs-url", PCCS, "--dcap-secure-cert", "FALSE"], "always checked"),
        (["--simulation", "--dcap-secure-cert", "perhaps"], "TRUE or FALSE"),
        (["--simulation", "--dcap-pccs-url", "http://pccs"], "no caching service's URL"),
        (["--simulation", "--image", "Upper/Case"], "names no image"),
        (["--simulation", "--image", "a b"], "names no image"),
        (["--simulation", "--version", "a/b"], "names no image"),
        (["--simulation", "--image", "a:1", "--version", "2"], "names a version already"),
        (["--image", "a:1", "--resource-key", "epc"], "no name of a device plugin's resource"),
    ],
)
def test_what_is_wrong_or_not_there_is_refused_before_a_cluster_is_asked(refused, options, cause):
    error = refused(*options)
    assert error["code"] == "install-refused"
    assert cause in error["message"]
    assert error["remedy"]


@pytest.mark.parametrize(
    ("text", "options", "cause"),
    [
        ('{"use_secure_cert": true}', [], "cannot be used"),
        ("{nonsense", [], "cannot be used"),
        ("\n", [], "cannot be used"),
        (f'{{"pccs_url": "{PCCS}", "use_secure_cert": false}}', [], "always checked"),
        (f'{{"pccs_url": "{PCCS}"}}', ["--dcap-pccs-url", PCCS], "says the same"),
    ],
)
def test_a_qcnl_configuration_that_cannot_be_followed_is_refused(refused, tmp_path, text, options, cause):
    (tmp_path / "qcnl.conf").write_text(text)
    error = refused("--simulation", "--dcap-qcnl-config-file", str(tmp_path / "qcnl.conf"), *options)
    assert error["code"] == "install-refused"
    assert cause in error["message"]


@pytest.mark.parametrize("command", [["install", "--simulation"], ["uninstall"], ["check"], ["precheck"]])
def test_without_a_cluster_it_says_so(capsys, command):
    assert main(command) == 1
    error = capsys.readouterr().err
    assert error.startswith("error [kubeconfig]")
    assert "remedy:" in error


def test_a_dry_run_prints_yaml_alone(capsys):
    assert main(["install", "--simulation", "--dry-run"]) == 0
    assert len(list(yaml.safe_load_all(capsys.readouterr().out))) == 5


def test_all_of_marbleruns_options_are_taken(rendered):
    rendered(
        "--simulation", "--disable-auto-injection", "--domain", "d.example", "--resource-key", "a.b/c",
        "--client-server-port", "1", "--mesh-server-port", "2", "--version", "1", "--dcap-pccs-url", PCCS,
        "--dcap-secure-cert", "TRUE", "-n", "space",
    )  # fmt: skip


def test_the_container_may_do_nothing_but_serve(rendered):
    objects = rendered("--simulation")
    pod = objects["Deployment/marblerun-coordinator"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container(objects)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not [name for name in objects if "Role" in name]


def test_one_pod_at_a_time_holds_the_state(rendered):
    spec = rendered("--simulation")["Deployment/marblerun-coordinator"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
