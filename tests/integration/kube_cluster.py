"""A real Kubernetes control plane: etcd, kube-apiserver with RBAC, kube-controller-manager; no nodes.

`make kube` builds the three programs. Pods are made by the real Deployment controller; as there is no
kubelet, a test writes their status itself (`serve`).
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("SEALMESH_TEST_KUBE", REPOSITORY / ".venv" / "kube"))
MISSING = None if (PROGRAMS / "kube-apiserver").is_file() else "no kube-apiserver: `make kube` builds it"
_TOKENS = {"admin": "system:masters", "guest": "", "tenant": "", "controller": "system:masters"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class KubeCluster:
    """The running control plane. Users `admin`, `tenant` (rights in one namespace) and `guest` (none)."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.server = f"https://127.0.0.1:{port}"
        self.ca = directory / "apiserver.crt"
        self._client: httpx.Client | None = None

    def kubeconfig(self, user: str = "admin") -> Path:
        path = self.directory / f"kubeconfig-{user}"
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "test",
                    "clusters": [
                        {
                            "name": "c",
                            "cluster": {"server": self.server, "certificate-authority": str(self.ca)},
                        }
                    ],
                    "users": [{"name": "u", "user": {"token": f"{user}-token"}}],
                    "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
                }
            )
        )
        return path

    @property
    def api(self) -> httpx.Client:
        """The API itself, as admin, past the code under test."""
        if self._client is None:
            import ssl

            self._client = httpx.Client(
                base_url=self.server,
                verify=ssl.create_default_context(cafile=str(self.ca)),
                headers={"authorization": "Bearer admin-token"},
                trust_env=False,
                timeout=30,
            )
        return self._client

    def create(self, path: str, item: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.api.post(path, json=item)
        assert answer.status_code in {200, 201}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.get(path).raise_for_status().json()["items"]
        return found

    def pods(self, namespace: str, count: int = 1) -> list[dict[str, Any]]:
        """Return the pods once the controller has made as many."""
        deadline = time.monotonic() + 60
        while True:
            found = self.items(f"/api/v1/namespaces/{namespace}/pods")
            if len(found) == count:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.1)

    def say(self, pod: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        """Write a pod's status, as its kubelet would."""
        meta = pod["metadata"]
        self.api.patch(
            f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status",
            content=json.dumps({"status": status}),
            headers={"content-type": "application/strategic-merge-patch+json"},
        ).raise_for_status()

    def serve(self, pod: Mapping[str, Any]) -> None:
        conditions = [
            {"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady", "PodScheduled")
        ]
        self.say(pod, {"phase": "Running", "conditions": conditions})


@contextmanager
def kube_cluster(directory: Path) -> Iterator[KubeCluster]:
    """Start the control plane; stop it in the end."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (directory / "accounts.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    tokens = "".join(f'{name}-token,{name},{name},"{group}"\n' for name, group in _TOKENS.items())
    (directory / "tokens.csv").write_text(tokens)
    etcd, peers, port = free_port(), free_port(), free_port()
    cluster = KubeCluster(directory, port)
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, **options: str) -> None:
        with (directory / f"{name}.log").open("wb") as log:
            command = [
                PROGRAMS / name,
                *(f"--{key.replace('_', '-')}={text}" for key, text in options.items()),
            ]
            started.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=directory))

    try:
        start(
            "etcd",
            data_dir=str(directory / "etcd"),
            listen_client_urls=f"http://127.0.0.1:{etcd}",
            advertise_client_urls=f"http://127.0.0.1:{etcd}",
            listen_peer_urls=f"http://127.0.0.1:{peers}",
            initial_advertise_peer_urls=f"http://127.0.0.1:{peers}",
            initial_cluster=f"default=http://127.0.0.1:{peers}",
        )
        start(
            "kube-apiserver",
            etcd_servers=f"http://127.0.0.1:{etcd}",
            bind_address="127.0.0.1",
            advertise_address="127.0.0.1",
            endpoint_reconciler_type="none",
            secure_port=str(port),
            cert_dir=str(directory),
            token_auth_file=str(directory / "tokens.csv"),
            authorization_mode="RBAC",
            service_account_issuer="https://kubernetes.default.svc",
            service_account_key_file=str(directory / "accounts.key"),
            service_account_signing_key_file=str(directory / "accounts.key"),
            service_cluster_ip_range="10.0.0.0/24",
        )
        _await(
            lambda: cluster.ca.is_file() and cluster.api.get("/readyz").status_code == 200, started, directory
        )
        start(
            "kube-controller-manager",
            kubeconfig=str(cluster.kubeconfig("controller")),
            authentication_kubeconfig=str(cluster.kubeconfig("controller")),
            authorization_kubeconfig=str(cluster.kubeconfig("controller")),
            service_account_private_key_file=str(directory / "accounts.key"),
            bind_address="127.0.0.1",
            secure_port=str(free_port()),
            leader_elect="false",
            controllers="deployment-controller,replicaset-controller,serviceaccount-controller,"
            "namespace-controller,garbage-collector-controller,persistentvolumeclaim-protection-controller",
            cert_dir=str(directory),
        )
        default = "/api/v1/namespaces/default/serviceaccounts/default"
        _await(lambda: cluster.api.get(default).status_code == 200, started, directory)
        yield cluster
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()
        if cluster._client is not None:
            cluster._client.close()
        shutil.rmtree(directory / "etcd", ignore_errors=True)


def _await(done: Any, started: list[subprocess.Popen[bytes]], directory: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            if done():
                return
        except httpx.TransportError:
            pass
        dead = [process for process in started if process.poll() is not None]
        logs = "".join(path.read_text()[-1500:] for path in directory.glob("*.log")) if dead else ""
        assert not dead, logs
        assert time.monotonic() < deadline
        time.sleep(0.1)
