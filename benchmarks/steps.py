"""Where the CPU of an activation goes: each step by itself, in this process, and all of them together.

By itself a step is repeated while caches are warm. The steps in turn begin with cold ones each time: they
are too many for a core's caches, and at the commit another process gets the core. So the steps add up to
less than the whole.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from OpenSSL import SSL

from benchmarks.http_peer import CONNECT, GRPC
from benchmarks.load.generator import Identity
from benchmarks.population import manifest
from benchmarks.table import Cost, Table
from sealmesh.adapters.clock import system_clock, system_entropy
from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.adapters.log import LogFormat, LogLevel, configure_log
from sealmesh.adapters.rpc.server import MESH_PROFILE
from sealmesh.adapters.rpc.services import methods_of
from sealmesh.adapters.tls import TlsIdentity, TlsSession, build_context
from sealmesh.attestation import VerificationCache, parse_collateral, parse_evidence, verify
from sealmesh.coordinator.coordinator import Coordinator
from sealmesh.coordinator.ports import Change
from sealmesh.pki import Authority, issue_leaf, new_serial, parse_csr
from sealmesh.server.composition import Parts, build_settings, compose, fresh_authority
from sealmesh.server.configuration import read_configuration
from sealmesh.server.evidence import EvidenceParts, build_evidence
from sealmesh.wire import enrolment_pb2, marble_pb2, methods

_ROUNDS = 7
_CALLS = 60
_LEAF = b"x" * 680


class Steps:
    """One Coordinator in this process, with its parts at hand."""

    def __init__(self, directory: Path, platform: Path, table: Table) -> None:
        environment = {
            "HOME": str(directory),
            "SEALMESH_SEAL_DIR": str(directory / "steps"),
            "SEALMESH_ATTESTER": f"simulated:{platform}",
        }
        configuration = read_configuration({}, environment)
        self._log = (directory / "steps.log").open("w")
        configure_log(LogFormat.JSON, LogLevel.INFO, stream=self._log)
        self._table = table
        self._evidence: EvidenceParts = build_evidence(configuration)
        settings = build_settings(configuration, self._evidence)
        self._authority: Authority = fresh_authority(settings)
        self._parts: Parts = compose(configuration, self._evidence, settings, self._authority)

    def run(self, legacy: Identity, own: Identity) -> None:
        """Measure the steps for a Marble of MarbleRun's call and for one of ours."""
        with closing(self._parts), closing(self._log):
            self._parts.coordinator.set_manifest(manifest())
            self._table.head("Where it goes: legacy call, P-384 (each step by itself, caches warm)")
            wanted = marble_pb2.ActivationReq.FromString(legacy.message)
            self._steps(legacy, wanted.Quote, wanted.CSR, bits=384)
            self._whole(self._parts.coordinator, methods.ACTIVATE, legacy)
            self._table.head("Where it goes: own enrolment, P-256")
            ours = enrolment_pb2.ActivateRequest.FromString(own.message)
            self._steps(own, ours.evidence, ours.csr, bits=256)
            self._whole(self._parts.coordinator, methods.ENROL, own)
            configure_log(LogFormat.JSON, LogLevel.WARNING)

    def _steps(self, marble: Identity, evidence: bytes, csr: bytes, *, bits: int) -> None:
        table, keys = self._table, OsKeyFactory()
        identity = self._server_identity() if bits == 256 else _marble_root(self._authority)
        table.cost("TLS handshake, in memory", handshake(identity, marble))
        name, exchange = ("gRPC, HTTP/2", GRPC) if bits == 384 else ("Connect, HTTP/1.1", CONNECT)
        table.cost(f"{name}: connection and one request", asyncio.run(exchange.fresh()))
        table.cost(f"{name}: one more request", asyncio.run(exchange.kept()))
        self._evidence_steps(evidence)
        table.cost("request (CSR) parsed, its signature verified", cpu(lambda: parse_csr(csr)))
        if bits == 384:
            table.cost("P-384 key made", cpu(lambda: keys.ec(384)))
        table.cost(f"leaf over a P-{bits} key signed and checked", cpu(self._leaf(keys.ec(bits))))
        store = self._parts.seat.store()
        assert store is not None
        table.cost("commit to the store", cpu(lambda: store.commit(Change(appends=(_LEAF,)))))

    def _server_identity(self) -> TlsIdentity:
        own = self._parts.coordinator.server_identity().enrolment
        assert own is not None
        return TlsIdentity(chain=own.chain, key=own.key, generation=1)

    def _evidence_steps(self, raw: bytes) -> None:
        evidence, roots = parse_evidence(raw), self._evidence.roots
        collateral = parse_collateral(self._evidence.endorser.collateral_for(evidence))
        cache, now = VerificationCache(), system_clock()
        self._table.cost(
            "Evidence verified, platform seen before",
            cpu(lambda: verify(parse_evidence(raw), collateral, roots=roots, now=now, cache=cache)),
        )
        self._table.cost(
            "   (the same, platform not seen before)",
            cpu(lambda: verify(parse_evidence(raw), collateral, roots=roots, now=now)),
        )

    def _leaf(self, key: ec.EllipticCurvePrivateKey) -> Callable[[], object]:
        return lambda: issue_leaf(
            self._authority,
            public_key=key.public_key(),
            uuid=UUID(int=1),
            marble_type="m0",
            subject=x509.Name([]),
            dns_names=("localhost",),
            ip_addresses=(),
            now=system_clock(),
            lifetime=timedelta(days=1),
            serial=new_serial(system_entropy),
            simulation=True,
        )

    def _whole(self, coordinator: Coordinator, method: str, marble: Identity) -> None:
        call = methods_of(coordinator)[method]
        chain = (x509.load_pem_x509_certificate(marble.certificate.encode()).public_bytes(Encoding.DER),)
        whole = cpu(lambda: call(marble.message, chain))
        self._table.cost("all of it but TLS and HTTP, in turn", whole)


def cpu(step: Callable[[], object]) -> Cost:
    """Return the CPU seconds of this thread for one `step`."""
    step()
    return of_rounds(lambda: _timed(step))


def of_rounds(one: Callable[[], float]) -> Cost:
    """Return the cost over rounds of calls that say themselves how long they took."""
    figures = sorted(sum(one() for _ in range(_CALLS)) / _CALLS for _ in range(_ROUNDS))
    return Cost(quiet=figures[0], middle=figures[_ROUNDS // 2])


def _timed(step: Callable[[], object]) -> float:
    begin = time.thread_time()
    step()
    return time.thread_time() - begin


def _marble_root(authority: Authority) -> TlsIdentity:
    return TlsIdentity(chain=(authority.marble_root_cert,), key=authority.intermediate_key, generation=1)


def handshake(identity: TlsIdentity, marble: Identity) -> Cost:
    """Return the server's share of a mutual handshake, without sockets."""
    server, client = build_context(identity, MESH_PROFILE), _client(marble)
    return of_rounds(lambda: _shake_hands(server, client))


def _client(marble: Identity) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.use_certificate(x509.load_pem_x509_certificate(marble.certificate.encode()))
    key = load_pem_private_key(marble.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    context.use_privatekey(key)
    context.set_alpn_protos([b"h2"])
    context.set_tmp_ecdh(ec.SECP256R1())
    return context


def _shake_hands(server: SSL.Context, client: SSL.Context) -> float:
    peer = SSL.Connection(client, None)
    peer.set_connect_state()
    hello = _said(peer)
    begin = time.thread_time()
    session = TlsSession(server)
    session.feed(hello)
    session.handshake()
    flight = session.outgoing()
    used = time.thread_time() - begin
    peer.bio_write(flight)
    finished = _said(peer)
    begin = time.thread_time()
    session.feed(finished)
    assert session.handshake(), "the handshake is not done"
    session.peer_chain_der()
    return used + time.thread_time() - begin


def _said(peer: SSL.Connection) -> bytes:
    try:
        peer.do_handshake()
    except SSL.WantReadError:
        pass
    return peer.bio_read(65_536)
