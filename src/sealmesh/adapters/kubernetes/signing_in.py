"""Credentials as they go into a connection: a bearer token, a client certificate, or what a plugin gives.

Plugins: Kubernetes documentation, "client-go credential plugins"; `client.authentication.k8s.io/v1` and
`v1beta1`.
"""

import json
import os
import ssl
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sealmesh.adapters.kubernetes.kubeconfig import Access, Credentials, ExecPlugin
from sealmesh.errors.cluster import KubeconfigError

_PLUGIN_VERSIONS: Final = (
    "client.authentication.k8s.io/v1",
    "client.authentication.k8s.io/v1beta1",
)
#: A person may have to sign in with a browser.
_PLUGIN_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, repr=False)
class SignIn:
    """What one connection shows."""

    token: str | None
    certificate: bytes | None
    key: bytes | None


def sign_in(credentials: Credentials) -> SignIn:
    """Return what to show now.

    Raises:
        KubeconfigError: A token file cannot be read, a plugin fails.
    """
    if credentials.plugin is not None and credentials.certificate is None and credentials.token is None:
        return _from_plugin(credentials.plugin)
    token = credentials.token
    if credentials.token_file is not None:
        try:
            token = credentials.token_file.read_text().strip()
        except OSError as error:
            raise KubeconfigError("the token's file cannot be read", found=error) from error
    return SignIn(token, credentials.certificate, credentials.key)


def tls_context(access: Access, shown: SignIn) -> ssl.SSLContext:
    """Return how to speak TLS with the cluster.

    Raises:
        KubeconfigError: A certificate or key cannot be used.
    """
    try:
        context = ssl.create_default_context(cadata=None if access.ca is None else access.ca.decode())
        if access.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if shown.certificate is not None:
            _load(context, shown)
    except (ssl.SSLError, OSError, UnicodeDecodeError) as error:
        raise KubeconfigError("the kubeconfig's certificates cannot be used", found=error) from error
    return context


def _load(context: ssl.SSLContext, shown: SignIn) -> None:
    """Load the client's certificate: `ssl` takes files only."""
    with tempfile.TemporaryDirectory(prefix="sealmesh-") as folder:  # mode 0700
        certificate, key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        certificate.write_bytes(shown.certificate or b"")
        key.write_bytes(shown.key or b"")
        context.load_cert_chain(certificate, key, password="")


def _from_plugin(plugin: ExecPlugin) -> SignIn:
    status = _plugin_status(plugin)
    token, certificate = status.get("token"), status.get("clientCertificateData")
    if not token and not certificate:
        raise KubeconfigError("the kubeconfig's plugin gives no credentials", found=plugin.command[0])
    key = str(status.get("clientKeyData") or "")
    return SignIn(
        str(token) if token else None,
        str(certificate).encode() if certificate else None,
        key.encode() if certificate else None,
    )


def _plugin_status(plugin: ExecPlugin) -> dict[str, Any]:
    if plugin.api_version not in _PLUGIN_VERSIONS:
        raise KubeconfigError(
            "the kubeconfig's plugin speaks another version",
            found=plugin.api_version,
            wanted=" or ".join(_PLUGIN_VERSIONS),
        )
    spec: dict[str, Any] = {"interactive": True}
    if plugin.cluster is not None:
        spec["cluster"] = plugin.cluster
    asked = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    environment = {**os.environ, **plugin.environment, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
    try:
        done = subprocess.run(  # its stderr is the user's: it may say where to sign in
            [*plugin.command], env=environment, stdout=subprocess.PIPE, timeout=_PLUGIN_SECONDS, check=True
        )
        answer = json.loads(done.stdout)
        status = answer["status"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise KubeconfigError(
            "the kubeconfig's plugin fails", found=f"{plugin.command[0]}: {type(error).__name__}"
        ) from error
    if not isinstance(status, dict):
        raise KubeconfigError("the kubeconfig's plugin gives no credentials", found=plugin.command[0])
    return status
