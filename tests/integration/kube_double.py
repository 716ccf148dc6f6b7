"""A double of the Kubernetes API, over TLS: for the calls made, as a real kube-apiserver was seen to behave.

In memory, no controllers: nothing makes pods. What a real one does besides (admission, validation, fields
that others own) is only in the tests against the real one; `tests/contract/test_kubernetes_installation.py`
runs the same tests against both.
"""

import datetime
import json
import ssl
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: As `/api/v1` and `/apis/apps/v1` list them.
_KINDS = {
    "/api/v1": [
        ("namespaces", "Namespace", False),
        ("namespaces/status", "Namespace", False),
        ("nodes", "Node", False),
        ("configmaps", "ConfigMap", True),
        ("persistentvolumeclaims", "PersistentVolumeClaim", True),
        ("pods", "Pod", True),
        ("pods/status", "Pod", True),
        ("serviceaccounts", "ServiceAccount", True),
        ("services", "Service", True),
    ],
    "/apis/apps/v1": [("deployments", "Deployment", True), ("deployments/status", "Deployment", True)],
}
_USERS = {"admin-token": "admin", "guest-token": "guest"}


class KubeDouble:
    """The cluster's memory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.objects: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.server = ""
        self._version = 0

    def kubeconfig(self, user: str = "admin") -> Path:
        path = self.directory / f"kubeconfig-{user}"
        document = {
            "current-context": "test",
            "clusters": [
                {"name": "c", "cluster": {"server": self.server, "certificate-authority": "server.pem"}}
            ],
            "users": [{"name": "u", "user": {"token": f"{user}-token"}}],
            "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
        }
        path.write_text(yaml.safe_dump(document))
        return path

    def create(self, path: str, item: Mapping[str, Any]) -> dict[str, Any]:
        return self.put(f"{path}/{item['metadata']['name']}", dict(item))

    def items(self, path: str) -> list[dict[str, Any]]:
        return [item for name, item in self.objects.items() if name.rpartition("/")[0] == path]

    def put(self, path: str, item: dict[str, Any]) -> dict[str, Any]:
        old = self.objects.get(path)
        if old is None:
            item = {**item, "metadata": {**item["metadata"], "uid": str(uuid.uuid4())}}
        elif _without_version(old) == item:
            return old
        self._version += 1
        self.objects[path] = {**item, "metadata": {**item["metadata"], "resourceVersion": str(self._version)}}
        return self.objects[path]

    def answer(self, method: str, target: str, body: Any, user: str | None) -> tuple[int, Any]:
        self.calls.append(f"{method} {target}")
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if user is None:
            return _status(401, "Unauthorized")
        if url.path in _KINDS and method == "GET":
            kinds = [{"name": n, "kind": k, "namespaced": scoped} for n, k, scoped in _KINDS[url.path]]
            return 200, {"kind": "APIResourceList", "resources": kinds}
        if user == "guest":
            return _status(403, f'{url.path} is forbidden: User "guest" cannot do that')
        match method:
            case "GET":
                return self._get(url.path, query)
            case "POST":
                return self._post(url.path, body)
            case "PATCH":
                return self._apply(url.path, query, body)
            case "DELETE":
                found = self.objects.pop(url.path, None)
                return (200, {"kind": "Status", "status": "Success"}) if found else _status(404, "not found")
        return _status(405, "the server does not allow this method on the requested resource")

    def _get(self, path: str, query: Mapping[str, str]) -> tuple[int, Any]:
        if path.rpartition("/")[2] in {name for kinds in _KINDS.values() for name, _, _ in kinds}:
            items = self.items(path)
            for selector in filter(None, query.get("labelSelector", "").split(",")):
                name, _, value = selector.partition("=")
                items = [item for item in items if (item["metadata"].get("labels") or {}).get(name) == value]
            return 200, {"kind": "List", "items": items}
        if path in self.objects:
            return 200, self.objects[path]
        return _status(404, f'"{path.rpartition("/")[2]}" not found')

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        name = f"{path}/{body['metadata']['name']}"
        return _status(409, "already exists") if name in self.objects else (201, self.put(name, body))

    def _apply(self, path: str, query: Mapping[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        parts = path.split("/")
        if "namespaces" in parts:
            namespace = parts[parts.index("namespaces") + 1]
            if f"/api/v1/namespaces/{namespace}" not in self.objects:
                return _status(404, f'namespaces "{namespace}" not found')
        if query.get("fieldManager") is None:
            return _status(400, "fieldManager is required for apply patch")
        there = path in self.objects
        if query.get("dryRun") == "All":
            return 200, self.objects.get(path, body)
        kept = self.objects[path]["metadata"] if there else {}
        metadata = {**{n: kept[n] for n in ("uid", "deletionTimestamp") if n in kept}, **body["metadata"]}
        return (200 if there else 201), self.put(path, {**body, "metadata": metadata})


def _without_version(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in item["metadata"].items() if name != "resourceVersion"}
    return {**item, "metadata": metadata}


def _status(code: int, message: str) -> tuple[int, Any]:
    return code, {"kind": "Status", "status": "Failure", "message": message, "code": code}


@contextmanager
def kube_double(directory: Path) -> Iterator[KubeDouble]:
    """Serve the double; stop it in the end."""
    double = KubeDouble(directory)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
            code, document = double.answer(self.command, self.path, body, _USERS.get(token))
            raw = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def do_PATCH(self) -> None:
            self._serve()

        def do_DELETE(self) -> None:
            self._serve()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(directory))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    double.server = f"https://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _certificate(directory: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-double")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / "server.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path
