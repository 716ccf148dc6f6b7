"""Endorsement servers with the shapes of PCS, PCCS and KDS, over TLS, with the simulated vendors' data."""

import os
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sealmesh.attestation import parse_collateral
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedChip,
    SimulatedPlatform,
    create_chip,
    create_platform,
    create_vendor,
    issue_collateral,
    issue_td_collateral,
)

#: Of the system, because the command line looks at no other clock.
NOW = datetime.now(UTC).replace(microsecond=0)
#: What the platform is called in its quotes; only Intel could read it.
ENCRYPTED_PPID = bytes(range(256)) + bytes(128)
_END = b"-----END CERTIFICATE-----"
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class World:
    """What the vendors published, and how their server behaves."""

    platform: SimulatedPlatform
    chip: SimulatedChip
    base: str
    ca: Path
    now: datetime = NOW
    plan: EndorsementPlan = field(default_factory=lambda: EndorsementPlan(issued=NOW - timedelta(days=1)))
    down: bool = False
    gate: threading.Event | None = None
    changed: dict[str, Callable[[Answer], Answer]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    queries: list[str] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def answer(self, target: str) -> Answer:
        path = urlsplit(target).path
        self.asked[path] += 1
        self.queries.append(target)
        if self.gate is not None:
            assert self.gate.wait(60)
        if self.down:
            return 503, {}, b"down for maintenance"
        change = self.changed.get(path, lambda answer: answer)
        return change(self._published(path, parse_qs(urlsplit(target).query)))

    def _published(self, path: str, query: dict[str, list[str]]) -> Answer:
        if path.startswith(("/vcek/", "/vlek/")):
            return self._amd(path, query)
        _, tee, _, version, *rest = path.split("/")
        issue = issue_td_collateral if tee == "tdx" else issue_collateral
        parts = parse_collateral(issue(self.platform.vendor, self.plan))
        tcb_header = "TCB-Info-Issuer-Chain" if version == "v4" else "SGX-TCB-Info-Issuer-Chain"
        match rest:
            case ["rootcacrl"]:
                return 200, {}, parts.root_ca_crl.hex().encode()
            case ["pckcrl"] if query == {"ca": ["platform"], "encoding": ["der"]}:
                return 200, _chain("SGX-PCK-CRL-Issuer-Chain", parts.pck_crl_issuer_chain), parts.pck_crl
            case ["tcb"] if query == {"fmspc": [self.plan.fmspc.hex().upper()]}:
                body = _signed("tcbInfo", parts.tcb_info, parts.tcb_info_signature)
                return 200, _chain(tcb_header, parts.tcb_info_issuer_chain), body
            case ["pckcert"] if query == self._pck_query("qeid" in query):
                pem = self.platform.pck_chain
                leaf, issuers = pem.split(_END)[0] + _END, pem.split(_END, 1)[1].lstrip()
                return 200, _chain("SGX-PCK-Certificate-Issuer-Chain", issuers), leaf + b"\n"
            case ["qe", "identity"]:
                body = _signed("enclaveIdentity", parts.qe_identity, parts.qe_identity_signature)
                return 200, _chain("SGX-Enclave-Identity-Issuer-Chain", parts.qe_identity_issuer_chain), body
        return 404, {}, b"No cache data"

    def _pck_query(self, caches: bool) -> dict[str, list[str]]:
        """What the PCK certificate is asked for with: at a PCCS the QE's ID, else the PPID."""
        name = {"qeid": [bytes(16).hex()]} if caches else {"encrypted_ppid": [ENCRYPTED_PPID.hex()]}
        identity = self.platform.identity
        versions = {
            "pcesvn": [identity.pce_svn.to_bytes(2, "little").hex()],
            "pceid": [identity.pce_id.hex()],
        }
        return {**name, "cpusvn": [identity.cpu_svn.hex()], **versions}

    def _amd(self, path: str, query: dict[str, list[str]]) -> Answer:
        spl = {name: ["01"] for name in ("blSPL", "teeSPL", "snpSPL", "ucodeSPL")}
        match path.split("/")[3:]:
            case ["Milan", "cert_chain"]:
                return 200, {}, _pem(self.chip.ask) + _pem(self.chip.ark)
            case ["Milan", "crl"]:
                return 200, {}, self.chip.crl(issued=self.plan.issued, lifetime=self.plan.lifetime)
            case ["Milan", chip] if chip == self.chip.chip_id.hex() and query == spl:
                return 200, {}, self.chip.vcek
        return 404, {}, b""


def _chain(name: str, pem: bytes) -> dict[str, str]:
    return {name: quote(pem.decode())}


def _signed(name: str, text: bytes, signature: bytes) -> bytes:
    return b'{"%b":%b,"signature":"%b"}' % (name.encode(), text, signature.hex().encode())


def _pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


@pytest.fixture(scope="session")
def vendors() -> tuple[SimulatedPlatform, SimulatedChip]:
    vendor = create_vendor(now=NOW, entropy=os.urandom)
    return (
        create_platform(vendor, now=NOW, entropy=os.urandom),
        create_chip(now=NOW, entropy=os.urandom),
    )


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, list[World]]]:
    directory = tmp_path_factory.mktemp("endorsement-server")
    ca = _issue_server_certificate(directory)
    worlds: list[World] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = worlds[-1].answer(self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                pass  # the client had enough

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # clients that do not trust the certificate

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", ca, worlds
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def world(
    vendors: tuple[SimulatedPlatform, SimulatedChip], served: tuple[str, Path, list[World]]
) -> Iterator[World]:
    base, ca, worlds = served
    worlds.append(World(platform=vendors[0], chip=vendors[1], base=base, ca=ca))
    yield worlds[-1]
    gate = worlds[-1].gate
    if gate is not None:
        gate.set()
    for thread in threading.enumerate():
        if thread.name == "endorsements":  # still asking this test's world
            thread.join(60)


def _issue_server_certificate(directory: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "endorsement server")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / "server.pem").write_bytes(pem + private)
    (directory / "ca.pem").write_bytes(pem)
    return directory / "ca.pem"
