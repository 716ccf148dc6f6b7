"""A far end that answers like a Coordinator, or not quite, over real TLS on loopback."""

import base64
import importlib.util
import json
import os
import ssl
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.attestation.simulated import EndorsementPlan, issue_collateral
from sealmesh.client.verifying import quote_report_data
from sealmesh.pki import issue_leaf, new_serial

_spec = importlib.util.spec_from_file_location(
    "statement_bench", Path(__file__).parents[1] / "ledger" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_bench = importlib.util.module_from_spec(_spec)
sys.modules["statement_bench"] = _bench
_spec.loader.exec_module(_bench)

Answer = Callable[[str, dict[str, str]], tuple[int, bytes]]


def pem(*items) -> bytes:
    parts = []
    for item in items:
        if isinstance(item, x509.Certificate):
            parts.append(item.public_bytes(Encoding.PEM))
        else:
            parts.append(item.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return b"".join(parts)


@contextmanager
def serving(answer: Answer, credentials: bytes, folder: Path) -> Iterator[str]:
    """Serve `answer(path, query)` over TLS with `credentials` (PEM: chain, key); give the address."""

    class Far(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, body = answer(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

        def setup(self) -> None:
            self.request.settimeout(10)
            super().setup()

    file = folder / f"{uuid.uuid4()}.pem"
    file.write_bytes(credentials)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Far)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class FarCoordinator:
    """What a Coordinator answers, with knobs for attackers."""

    def __init__(self, bench) -> None:
        self.bench = bench
        self.statement: Callable[[bytes], bytes] = lambda nonce: replace(bench, nonce=nonce).statement()
        self.evidence_nonce: Callable[[bytes], bytes] = lambda nonce: nonce
        self.own_routes = True
        self.endorsements = True

    def __call__(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        nonce = base64.urlsafe_b64decode(query.get("nonce", ""))
        if path.startswith("/api/sealmesh/") and not self.own_routes:
            return 405, b'{"status":"error","data":null}\n'
        match path:
            case "/api/sealmesh/v1/statement":
                return 200, self.statement(nonce)
            case "/api/sealmesh/v1/quote" | "/api/v2/quote":
                return 200, self.quote(nonce, own="sealmesh" in path)
        return 405, b'{"status":"error","data":null}\n'

    def quote(self, nonce: bytes, *, own: bool) -> bytes:
        bench, authority = self.bench, self.bench.authority
        report_data = quote_report_data(authority.root_cert, self.evidence_nonce(nonce))
        data = {
            "cert": pem(authority.intermediate_cert, authority.root_cert).decode(),
            "quote": base64.b64encode(bench.platform.quote(bench.enclave, report_data)).decode(),
        }
        if own and self.endorsements:
            plan = EndorsementPlan(issued=bench.now - timedelta(hours=1))
            data["endorsements"] = base64.b64encode(issue_collateral(bench.platform.vendor, plan)).decode()
        return json.dumps({"status": "success", "data": data}).encode()


@pytest.fixture(scope="session")
def bench():
    now = datetime.now(UTC).replace(microsecond=0)
    return _bench.Bench(platform=_bench.make_platform(now), authority=_bench.make_authority(now), now=now)


@pytest.fixture(scope="session")
def other_bench():
    now = datetime.now(UTC).replace(microsecond=0)
    return _bench.Bench(platform=_bench.make_platform(now), authority=_bench.make_authority(now), now=now)


@pytest.fixture
def far(bench) -> FarCoordinator:
    return FarCoordinator(bench)


@pytest.fixture
def serve(tmp_path) -> Callable[[Answer, bytes], object]:
    """Serve an answer with credentials."""
    return lambda answer, credentials: serving(answer, credentials, tmp_path)


@pytest.fixture
def credentials(bench) -> bytes:
    """What the genuine Coordinator's client API shows."""
    return pem(bench.authority.root_cert, bench.authority.root_key)


@pytest.fixture
def marble(bench) -> Callable[..., bytes]:
    """Make credentials of a Marble."""

    def make(marble_type: str, *, of=bench, whole_chain: bool = True) -> bytes:
        key = OsKeyFactory().ec(256)
        leaf = issue_leaf(
            of.authority,
            public_key=key.public_key(),
            uuid=uuid.uuid4(),
            marble_type=marble_type,
            subject=x509.Name([]),
            dns_names=(),
            ip_addresses=(),
            now=datetime.now(UTC),
            lifetime=timedelta(hours=1),
            serial=new_serial(os.urandom),
            simulation=True,
        )
        return pem(leaf, of.authority.intermediate_cert, key) if whole_chain else pem(leaf, key)

    return make
