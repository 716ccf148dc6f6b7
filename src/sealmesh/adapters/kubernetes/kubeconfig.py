"""Which cluster is meant and who the user is there: kubeconfig files, or the service account of a pod.

As `kubectl` reads them: `KUBECONFIG` (a list; of entries with one name the first counts), else
`~/.kube/config`, else the pod's own account. Source: Kubernetes documentation, "Organizing Cluster Access
Using kubeconfig Files", and the reference of kubeconfig (v1).
"""

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from sealmesh.errors.cluster import KubeconfigError

_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
#: Ways to sign in that kubectl itself has given up.
_GONE: Final = ("auth-provider", "username")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecPlugin:
    """A program that gives credentials (`client.authentication.k8s.io`)."""

    api_version: str
    command: Sequence[str]
    environment: Mapping[str, str]
    cluster: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """How the user shows who it is; all empty is anonymous. Never printed.

    Attributes:
        token_file: Read anew for each connection: the cluster rotates it.
        certificate: PEM of the chain; `key` is its key.
    """

    token: str | None = None
    token_file: Path | None = None
    certificate: bytes | None = None
    key: bytes | None = None
    plugin: ExecPlugin | None = None

    def __repr__(self) -> str:
        return "Credentials(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One cluster, and how to reach it.

    Attributes:
        ca: PEM of who vouches for the server; None: the operating system's.
        insecure: The user's file says that the server's certificate is not to be looked at.
        server_name: The name in it, where that is not the address's.
    """

    server: str
    context: str
    ca: bytes | None
    insecure: bool
    server_name: str | None
    proxy: str | None
    credentials: Credentials


def find_access(environment: Mapping[str, str], home: Path, *, account: Path = _ACCOUNT) -> Access:
    """Return the cluster that `kubectl` would talk to from here.

    Raises:
        KubeconfigError: No file says it, or what it says cannot be used.
    """
    named = [Path(part) for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]
    files = [path for path in named or [home / ".kube" / "config"] if path.is_file()]
    if files:
        return _from_files(files)
    if environment.get("KUBERNETES_SERVICE_HOST") and (account / "token").is_file():
        return _from_account(environment, account)
    looked = ", ".join(str(path) for path in named) or "~/.kube/config"
    raise KubeconfigError("nothing here says which Kubernetes cluster is meant", found=f"no {looked}")


class _Entry:
    """One named part of a kubeconfig, with the folder that relative paths start from."""

    def __init__(self, content: Mapping[str, Any], folder: Path) -> None:
        self.content = content
        self._folder = folder

    def text(self, name: str) -> str | None:
        value = self.content.get(name)
        return str(value) if value else None

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        return None if value is None else self._folder / value

    def pem(self, name: str) -> bytes | None:
        """Return what stands under `name-data`, else in the file under `name`."""
        data, path = self.text(f"{name}-data"), self.path(name)
        try:
            if data is not None:
                return base64.b64decode(data, validate=True)
            return None if path is None else path.read_bytes()
        except (OSError, binascii.Error) as error:
            raise KubeconfigError(f"the kubeconfig's {name} cannot be read", found=error) from error


def _from_files(files: Sequence[Path]) -> Access:
    documents = [(_document(path), path.parent) for path in files]
    context_name = next((str(d["current-context"]) for d, _ in documents if d.get("current-context")), None)
    if context_name is None:
        raise KubeconfigError("the kubeconfig names no current context", found=files[0])
    context = _named(documents, "context", context_name)
    cluster = _named(documents, "cluster", str(context.text("cluster")))
    user = _named(documents, "user", str(context.text("user"))) if context.text("user") else None
    server = cluster.text("server")
    if server is None or not server.startswith(("https://", "http://")):
        raise KubeconfigError("the kubeconfig names no server", found=server, wanted="https://HOST[:PORT]")
    return Access(
        server=server.rstrip("/"),
        context=context_name,
        ca=cluster.pem("certificate-authority"),
        insecure=cluster.content.get("insecure-skip-tls-verify") is True,
        server_name=cluster.text("tls-server-name"),
        proxy=cluster.text("proxy-url"),
        credentials=Credentials() if user is None else _credentials(user, cluster),
    )


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError) as error:
        raise KubeconfigError("a kubeconfig cannot be read", found=f"{path}: {error}"[:200]) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise KubeconfigError("a kubeconfig is no mapping", found=path)
    return document


def _named(documents: Sequence[tuple[Mapping[str, Any], Path]], kind: str, name: str) -> _Entry:
    for document, folder in documents:
        for entry in document.get(f"{kind}s") or []:
            if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(kind), dict):
                return _Entry(entry[kind], folder)
    raise KubeconfigError(f"the kubeconfig has no {kind} of the name it uses", found=name)


def _credentials(user: _Entry, cluster: _Entry) -> Credentials:
    gone = [name for name in _GONE if user.content.get(name)]
    if gone:
        raise KubeconfigError(
            f"the kubeconfig signs in by {gone[0]}, which clusters no longer take",
            wanted="a token, a client certificate, or an exec plugin",
            remedy="Let the cluster's provider write the file anew.",
        )
    plugin = user.content.get("exec")
    return Credentials(
        token=user.text("token"),
        token_file=user.path("tokenFile"),
        certificate=user.pem("client-certificate"),
        key=user.pem("client-key"),
        plugin=_plugin(plugin, cluster) if isinstance(plugin, dict) else None,
    )


def _plugin(written: Mapping[str, Any], cluster: _Entry) -> ExecPlugin:
    return ExecPlugin(
        api_version=str(written.get("apiVersion")),
        command=[str(written.get("command")), *(str(item) for item in written.get("args") or [])],
        environment={str(item["name"]): str(item["value"]) for item in written.get("env") or []},
        cluster=dict(cluster.content) if written.get("provideClusterInfo") else None,
    )


def _from_account(environment: Mapping[str, str], account: Path) -> Access:
    host, port = environment["KUBERNETES_SERVICE_HOST"], environment.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        ca = (account / "ca.crt").read_bytes()
    except OSError as error:
        raise KubeconfigError("the pod's service account cannot be read", found=error) from error
    return Access(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        context="the pod's service account",
        ca=ca,
        insecure=False,
        server_name=None,
        proxy=None,
        credentials=Credentials(token_file=account / "token"),
    )
