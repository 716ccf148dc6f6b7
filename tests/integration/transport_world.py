"""A fake Coordinator behind real servers on real sockets, and peers of every kind. Loaded by path."""

import asyncio
import contextlib
import datetime as dt
import gc
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from grpclib.client import Channel, UnaryUnaryMethod

from sealmesh.adapters.http import Calls, Limits, bind
from sealmesh.adapters.rest import CLIENT_LIMITS, ClientServer
from sealmesh.adapters.rpc import MESH_LIMITS, MeshServer
from sealmesh.coordinator.api import (
    ActivationReply,
    ActivationRequest,
    ChallengeReply,
    ChallengeRequest,
    Credentials,
    EnrolmentIdentity,
    EnrolReply,
    EnrolRequest,
    ManifestReply,
    PeerChain,
    PendingUpdateReply,
    QuoteReply,
    RecoverReply,
    RenewRequest,
    ResultReply,
    ResultRequest,
    SecretReply,
    ServerIdentity,
    SetManifestReply,
    SignQuoteReply,
    StatusReply,
    UpdateReply,
)
from sealmesh.coordinator.phase import Act
from sealmesh.errors.coordinator import GateClosed, NothingPending, PhaseError, UserUnauthenticated
from sealmesh.wire import methods
from sealmesh.wire.marble_pb2 import ActivationReq, ActivationResp

NOW = dt.datetime.now(dt.UTC)
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


@dataclass(frozen=True)
class Party:
    """A self-signed certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self.certificate.public_bytes(serialization.Encoding.PEM) + key


def party(name: str, curve: ec.EllipticCurve | None = None) -> Party:
    key = ec.generate_private_key(curve or ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(NOW - dt.timedelta(1)).not_valid_after(NOW + dt.timedelta(9))
    return Party(builder.sign(key, hashes.SHA256()), key)


@dataclass(frozen=True)
class Rendered:
    files: dict[str, bytes] = field(default_factory=dict)
    env: dict[str, bytes] = field(default_factory=dict)
    argv: tuple[str, ...] = ()


class FakeCoordinator:
    """Answers like a Coordinator whose manifest is `manifest_raw`; `trouble` is raised by every command."""

    def __init__(self) -> None:
        self.client = party("client port")
        self.mesh = party("mesh port")
        self.enrolment: Party | None = party("mesh port, for Marbles of ours")
        self.generation = 1
        self.manifest_raw: bytes | None = None
        self.user: bytes | None = None
        self.open_gates: set[Act] = {Act.UPDATE, Act.ACCESS_SECRETS}
        self.trouble: BaseException | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.seen: list[Any] = []

    def rotate(self) -> None:
        self.client, self.mesh = party("client port, next"), party("mesh port, next")
        self.generation += 1

    def _did(self, what: Any) -> None:
        self.seen.append(what)
        self.gate.wait(30)
        if self.trouble is not None:
            raise self.trouble

    def admit(self, act: Act, chain: PeerChain) -> None:
        if act not in self.open_gates:
            raise GateClosed("the gate is closed")
        if act in (Act.UPDATE, Act.ACCESS_SECRETS) and self.user not in chain:
            raise UserUnauthenticated("no user")

    def server_identity(self) -> ServerIdentity:
        own = self.enrolment
        return ServerIdentity(
            client_chain=(self.client.certificate,),
            client_key=self.client.key,
            mesh_chain=(self.mesh.certificate,),
            mesh_key=self.mesh.key,
            generation=self.generation,
            enrolment=own and EnrolmentIdentity(chain=(own.certificate,), key=own.key),
        )

    def status(self) -> StatusReply:
        self._did("status")
        code = 2 if self.manifest_raw is None else 3
        return StatusReply(code=code, message="ready", relaxations=("lenient-manifest",), simulation=True)

    def quote(self, nonce: bytes) -> QuoteReply:
        self._did(("quote", nonce))
        return QuoteReply(chain_pem="PEM", evidence=b"E", endorsements=b"{}")

    def statement(self, nonce: bytes) -> bytes:
        self._did(("statement", nonce))
        return b'{"statement":1}'

    def give_result(self, request: ResultRequest, chain: PeerChain) -> ResultReply:
        self._did((request, chain))
        return ResultReply(token=b"a.b.c", form=request.form)

    def manifest(self) -> ManifestReply:
        self._did("manifest")
        if self.manifest_raw is None:
            raise PhaseError("no manifest")
        return ManifestReply(raw=self.manifest_raw, fingerprint="ab", signature=b"S")

    def set_manifest(self, raw: bytes, chain: PeerChain = ()) -> SetManifestReply:
        self._did(("set_manifest", raw))
        if self.manifest_raw is not None or not raw.startswith(b"{"):
            raise PhaseError("refused")
        self.manifest_raw = raw
        return SetManifestReply()

    def update_log(self) -> tuple[str, ...]:
        self._did("update_log")
        if self.manifest_raw is None:
            raise PhaseError("no manifest")
        return ('{"a":1}', '{"b":2}')

    def activate(self, request: ActivationRequest) -> ActivationReply:
        self._did(request)
        return ActivationReply(parameters=Rendered(env={"CERT": request.client_cert}, argv=("./bake",)))

    def challenge(self, request: ChallengeRequest) -> ChallengeReply | None:
        self._did(request)
        if request.evidence == b"known":
            return None
        return ChallengeReply(credential_blob=b"blob", encrypted_secret=b"seed", token=b"token")

    def enrol(self, request: EnrolRequest) -> EnrolReply:
        self._did(request)
        return EnrolReply(
            parameters=Rendered(files={"/f": b"x"}),
            credentials=self._credentials(),
            coordinator_evidence=b"evidence",
            coordinator_endorsements=b"{}",
        )

    def renew(self, request: RenewRequest) -> Credentials:
        self._did(request)
        return self._credentials()

    def _credentials(self) -> Credentials:
        return Credentials(
            certificate_chain=(b"leaf", b"intermediate"),
            coordinator_chain=(b"intermediate", b"root"),
            marble_root=b"marble root",
            access_policy=b"{}",
            ttls=None,
            not_after=dt.datetime(2031, 1, 2, tzinfo=dt.UTC),
            renew_after=dt.datetime(2031, 1, 1, tzinfo=dt.UTC),
            trust_domain="mesh-ab",
            simulation=True,
            relaxations=("lenient-manifest",),
        )

    def get_secrets(self, names: tuple[str, ...], chain: PeerChain) -> dict[str, SecretReply]:
        self._did(("get_secrets", names))
        secret = SecretReply(
            type="plain",
            size=0,
            shared=False,
            user_defined=True,
            certificate=None,
            valid_for=0,
            private=b"v",
            public=b"v",
        )
        return dict.fromkeys(names, secret)

    def set_secrets(self, uploads: Any, chain: PeerChain) -> None:
        self._did(("set_secrets", uploads))

    def update(self, raw: bytes, chain: PeerChain) -> UpdateReply:
        self._did(("update", raw))
        return UpdateReply(applied=False, missing_acknowledgments=1, missing_users=("cy",))

    def pending_update(self) -> PendingUpdateReply:
        self._did("pending_update")
        if self.manifest_raw is None:
            raise NothingPending("none")
        return PendingUpdateReply(raw=b"{}", missing_users=("cy",), missing_acknowledgments=1)

    def acknowledge(self, raw: bytes, chain: PeerChain) -> UpdateReply:
        self._did(("acknowledge", raw))
        return UpdateReply(applied=True, missing_acknowledgments=0, recovery_secrets={"r": b"s"})

    def cancel(self, chain: PeerChain) -> None:
        self._did("cancel")

    def recover(self, secret: bytes, signature: bytes) -> RecoverReply:
        self._did(("recover", secret, signature))
        return RecoverReply(remaining=1)

    def recovery_public_key(self) -> bytes:
        self._did("recovery_public_key")
        return b"spki"

    def sign_quote(self, quote: bytes) -> SignQuoteReply:
        self._did(("sign_quote", quote))
        return SignQuoteReply(tcb_status="UpToDate", signature=b"S")

    def monotonic_counter(self, name: str, value: int, chain: PeerChain) -> int:
        self._did(("monotonic_counter", name, value))
        return 7


class Witness:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.failed_handshakes: list[str] = []
        self.evictions: list[str] = []
        self.faults: list[BaseException] = []
        self.answers: list[tuple[str, str, str]] = []

    def handshake_failed(self, peer_address: str, reason: str) -> None:
        self.failed_handshakes.append(reason)

    def evicted(self, peer_address: str, reason: str) -> None:
        self.evictions.append(reason)

    def answered(self, method: str, route: str, status: str, seconds: float) -> None:
        self.answers.append((method, route, status))

    def fault(self, where: str, error: BaseException) -> None:
        self.faults.append(error)


class Server:
    """One server in a thread with a loop of its own."""

    def __init__(self, port: str, loop: str, coordinator: FakeCoordinator, limits: Limits | None) -> None:
        self.coordinator = coordinator
        self.witness = Witness()
        self._sockets = bind("127.0.0.1", 0)
        self.address: tuple[str, int] = self._sockets[0].getsockname()[:2]
        self._loop = LOOPS[loop]()
        self._loop.set_exception_handler(lambda _loop, context: self.witness.faults.append(_error(context)))
        self._calls = Calls()
        if port == "mesh":
            self.server: MeshServer | ClientServer = MeshServer(
                coordinator, calls=self._calls, limits=limits or MESH_LIMITS, observer=self.witness
            )
        else:
            self.server = ClientServer(
                coordinator, calls=self._calls, limits=limits or CLIENT_LIMITS, observer=self.witness
            )
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self.server.start(self._sockets))

    @property
    def listener(self) -> Any:
        return self.server.listener

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def stop(self, grace_seconds: float = 1.0) -> None:
        self.run(self.server.stop(grace_seconds))
        self.run(_settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()
        self.coordinator.gate.set()
        self._calls.close()


async def _settle() -> None:
    """Let what was accepted at the last moment, and what was cancelled, end."""
    for _ in range(5):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks, timeout=10)
        await asyncio.sleep(0)


def _error(context: dict[str, Any]) -> BaseException:
    return context.get("exception") or RuntimeError(context.get("message"))


@contextlib.contextmanager
def serving(
    port: str,
    *,
    loop: str = "asyncio",
    coordinator: FakeCoordinator | None = None,
    limits: Limits | None = None,
    faultless: bool = True,
) -> Iterator[Server]:
    """Run one server; at the end nothing must have gone wrong on our side."""
    server = Server(port, loop, coordinator or FakeCoordinator(), limits)
    try:
        yield server
    finally:
        server.stop()
    gc.collect()  # a socket left open is found here, in its own test
    if faultless:
        assert [repr(fault) for fault in server.witness.faults] == []


def limits_of(port: str, **changes: Any) -> Limits:
    return replace(MESH_LIMITS if port == "mesh" else CLIENT_LIMITS, **changes)


def client_context(
    who: Party | None, tmp_path: Path, alpn: tuple[str, ...] = ("h2",), version: str | None = None
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if version is not None:
        context.maximum_version = ssl.TLSVersion[version]
    if who is not None:
        path = tmp_path / f"{id(who)}.pem"
        path.write_bytes(who.pem)
        context.load_cert_chain(path)
    return context


def connect(address: tuple[str, int], context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(address, timeout=20)
    try:
        return context.wrap_socket(plain)
    except BaseException:
        plain.close()
        raise


def activate(address: tuple[str, int], context: ssl.SSLContext, **fields: Any) -> Any:
    """Activate once over a fresh connection, as MarbleRun's Marbles do; return the parameters."""
    return call(address, context, methods.ACTIVATE, ActivationReq(**fields), ActivationResp).Parameters


def call(address: tuple[str, int], context: ssl.SSLContext, path: str, request: Any, reply: type[Any]) -> Any:
    """Call one gRPC method over a fresh connection."""

    async def ask() -> Any:
        channel = Channel(*address, ssl=context)
        try:
            return await UnaryUnaryMethod(channel, path, type(request), reply)(request, timeout=30)
        finally:
            await hang_up(channel)

    return asyncio.run(ask())


async def hang_up(channel: Channel) -> None:
    """Close a channel at once: grpclib would leave its transport to the garbage collector."""
    protocol = channel._protocol
    transport = getattr(getattr(protocol, "connection", None), "_transport", None)
    channel.close()
    if transport is not None:
        transport.abort()
    for _ in range(5):
        await asyncio.sleep(0)


def eventually(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Poll until `condition` is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.005)
