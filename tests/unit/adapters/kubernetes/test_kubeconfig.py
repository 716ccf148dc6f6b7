"""Which cluster is meant: kubeconfig files as kubectl reads them, and a pod's account."""

import base64
import json
import ssl
from pathlib import Path

import pytest
import yaml

from sealmesh.adapters.kubernetes import find_access
from sealmesh.adapters.kubernetes.signing_in import sign_in, tls_context
from sealmesh.errors.cluster import KubeconfigError


def document(**parts):
    return {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://cluster.example:6443/"}}],
        "users": [{"name": "u", "user": {"token": "a-token"}}],
        **parts,
    }


def cluster(**fields):
    return document(clusters=[{"name": "c", "cluster": {"server": "https://c.example", **fields}}])


def user(**fields):
    return document(users=[{"name": "u", "user": fields}])


@pytest.fixture
def access(tmp_path):
    def read(written):
        (tmp_path / "config").write_text(yaml.safe_dump(written))
        return find_access({"KUBECONFIG": str(tmp_path / "config")}, tmp_path)

    return read


def test_the_current_context_counts(access):
    found = access(document())
    assert (found.server, found.context) == ("https://cluster.example:6443", "here")
    assert sign_in(found.credentials).token == "a-token"
    assert not found.insecure


def test_the_file_in_the_home_is_the_default(tmp_path):
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(json.dumps(document()))
    assert find_access({}, tmp_path).server == "https://cluster.example:6443"


def test_of_several_files_the_first_that_names_something_counts(tmp_path):
    (tmp_path / "a").write_text(yaml.safe_dump({"current-context": "there", "contexts": [], "users": None}))
    other = document(contexts=[{"name": "there", "context": {"cluster": "c", "user": "u"}}])
    (tmp_path / "b").write_text(yaml.safe_dump(other))
    found = find_access({"KUBECONFIG": f"{tmp_path}/a:{tmp_path}/none:{tmp_path}/b"}, tmp_path)
    assert (found.context, found.server) == ("there", "https://cluster.example:6443")


def test_relative_files_are_beside_the_file_that_names_them(access, tmp_path):
    (tmp_path / "ca.pem").write_text("authority")
    assert access(cluster(**{"certificate-authority": "ca.pem"})).ca == b"authority"
    (tmp_path / "token").write_text(" fresh\n")
    assert sign_in(access(user(tokenFile="token", token="stale")).credentials).token == "fresh"


def test_data_goes_before_files(access):
    data = base64.b64encode(b"inside").decode()
    found = access(cluster(**{"certificate-authority": "none.pem", "certificate-authority-data": data}))
    assert found.ca == b"inside"


def test_what_else_a_cluster_may_say(access):
    found = access(cluster(**{
        "insecure-skip-tls-verify": True, "tls-server-name": "name", "proxy-url": "http://proxy:1",
    }))  # fmt: skip
    assert (found.insecure, found.server_name, found.proxy) == (True, "name", "http://proxy:1")
    assert tls_context(found, sign_in(found.credentials)).verify_mode is ssl.CERT_NONE


def test_a_clusters_certificate_is_checked_unless_the_file_says_otherwise(access):
    found = access(document())
    context = tls_context(found, sign_in(found.credentials))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_credentials_are_not_printed(access):
    assert "a-token" not in repr(access(document()))
    assert "a-token" not in repr(sign_in(access(document()).credentials))


def test_in_a_pod_its_account_counts(tmp_path):
    (tmp_path / "token").write_text("account")
    (tmp_path / "ca.crt").write_text("authority")
    variables = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    found = find_access(variables, tmp_path, account=tmp_path)
    assert (found.server, found.ca) == ("https://[fd00::1]:443", b"authority")
    assert sign_in(found.credentials).token == "account"


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("[", "cannot be read"),
        ("[]", "no mapping"),
        ("{}", "no current context"),
        (yaml.safe_dump(document(contexts=[])), "no context"),
        (yaml.safe_dump(document(clusters=[])), "no cluster"),
        (yaml.safe_dump(document(users=[])), "no user"),
        (yaml.safe_dump(cluster(server="cluster.example")), "names no server"),
        (yaml.safe_dump(cluster(**{"certificate-authority": "none"})), "cannot be read"),
        (yaml.safe_dump(cluster(**{"certificate-authority-data": "*"})), "cannot be read"),
        (yaml.safe_dump(user(username="root", password="x")), "no longer take"),
        (yaml.safe_dump(user(**{"auth-provider": {"name": "gcp"}})), "no longer take"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path, written, cause):
    (tmp_path / "config").write_text(written)
    with pytest.raises(KubeconfigError, match=cause):
        find_access({"KUBECONFIG": str(tmp_path / "config")}, tmp_path)


def test_without_any_it_says_where_it_looked(tmp_path):
    with pytest.raises(KubeconfigError) as refused:
        find_access({}, tmp_path)
    assert refused.value.found == "no ~/.kube/config"


@pytest.fixture
def plugin(tmp_path, access):
    """Sign in by a program that does this."""

    def run(script: str, version: str = "client.authentication.k8s.io/v1"):
        path = Path(tmp_path / "plugin")
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return sign_in(access(user(exec={"apiVersion": version, "command": str(path)})).credentials)

    return run


def test_a_plugin_may_give_a_certificate(plugin):
    answer = {"status": {"clientCertificateData": "chain", "clientKeyData": "key"}}
    shown = plugin(f"echo '{json.dumps(answer)}'")
    assert (shown.token, shown.certificate, shown.key) == (None, b"chain", b"key")


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ("exit 1", "plugin fails"),
        ("echo nonsense", "plugin fails"),
        ("echo '{}'", "plugin fails"),
        ("echo '{\"status\": []}'", "gives no credentials"),
        ("echo '{\"status\": {}}'", "gives no credentials"),
    ],
)
def test_a_plugin_that_gives_nothing_is_told(plugin, script, cause):
    with pytest.raises(KubeconfigError, match=cause):
        plugin(script)


def test_a_plugin_of_another_version_is_not_started(plugin, tmp_path):
    with pytest.raises(KubeconfigError, match="another version"):
        plugin(f"touch {tmp_path}/started", version="client.authentication.k8s.io/v1alpha1")
    assert not (tmp_path / "started").exists()


def test_a_certificate_that_is_none_is_refused(access):
    data = base64.b64encode(b"nonsense").decode()
    found = access(user(**{"client-certificate-data": data, "client-key-data": data}))
    with pytest.raises(KubeconfigError, match="cannot be used"):
        tls_context(found, sign_in(found.credentials))
