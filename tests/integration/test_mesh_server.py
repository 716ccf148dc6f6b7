"""The mesh port: MarbleRun's activation and our enrolment as a Marble sees them."""

import asyncio
import base64
import struct
from types import SimpleNamespace

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest
import transport_world as world
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from h2.errors import ErrorCodes

from sealmesh.errors.coordinator import (
    BadCertificateRequest,
    BadUuid,
    EvidenceRefused,
    PhaseError,
    UnknownMarbleType,
)
from sealmesh.wire import methods
from sealmesh.wire.enrolment_pb2 import (
    ActivateRequest,
    ActivateResponse,
    ChallengeAnswer,
    ChallengeRequest,
    ChallengeResponse,
    ErrorDetail,
    RenewRequest,
    RenewResponse,
)
from sealmesh.wire.marble_pb2 import ActivationReq, ActivationResp

STRANGER = world.party("stranger")


@pytest.fixture
def context(tmp_path):
    return world.client_context(STRANGER, tmp_path)


@pytest.fixture(params=["asyncio", "uvloop"])
def mesh(request):
    with world.serving("mesh", loop=request.param) as server:
        yield server


def refusal(server, context, path: str = methods.ACTIVATE, request=None) -> GRPCError:
    with pytest.raises(GRPCError) as caught:
        world.call(server.address, context, path, request or ActivationReq(), ActivationResp)
    return caught.value


class RawH2:
    """An HTTP/2 client that does as it is told."""

    def __init__(self, address, context) -> None:
        self.socket = world.connect(address, context)
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(header_encoding="utf-8", validate_outbound_headers=False)
        )
        self.h2.initiate_connection()
        self.flush()
        self.events: list[h2.events.Event] = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def request(self, path=methods.ACTIVATE, body=b"", *, end=True, extra=(), method="POST") -> int:
        stream = self.h2.get_next_available_stream_id()
        headers = [(":method", method), (":scheme", "https"), (":path", path), (":authority", "x")]
        headers += [("content-type", "application/grpc"), ("te", "trailers"), *extra]
        self.h2.send_headers(stream, headers, end_stream=end and not body)
        if body:
            self.h2.send_data(stream, body, end_stream=end)
        self.flush()
        return stream

    def until(self, condition):
        """Read events until one meets `condition`; return it, or None when the server hung up."""
        while True:
            found = next((event for event in self.events if condition(event)), None)
            if found is not None:
                self.events.remove(found)
                return found
            data = self.socket.recv(65536)
            if not data:
                return None
            self.events += self.h2.receive_data(data)
            self.flush()

    def headers(self, stream) -> dict:
        event = self.until(
            lambda e: (
                isinstance(e, h2.events.ResponseReceived | h2.events.TrailersReceived)
                and e.stream_id == stream
            )
        )
        return dict(event.headers)


def framed(message: bytes) -> bytes:
    return b"\0" + struct.pack(">I", len(message)) + message


# -- calls ------------------------------------------------------------------------------------------


def test_a_marble_activates(mesh, context) -> None:
    parameters = world.activate(
        mesh.address, context, Quote=b"q", CSR=b"c", MarbleType="baker", UUID="6f9619ff"
    )
    assert (dict(parameters.Env), list(parameters.Argv)) == ({"CERT": STRANGER.der}, ["./bake"])
    (seen,) = mesh.coordinator.seen
    assert (seen.evidence, seen.csr, seen.marble_type, seen.uuid) == (b"q", b"c", "baker", "6f9619ff")
    assert seen.client_cert == STRANGER.der


def test_the_observer_hears_of_calls_by_our_names_only(mesh, context) -> None:
    world.activate(mesh.address, context)
    refusal(mesh, context, "/secret/Path")
    mesh.coordinator.trouble = BadUuid("no UUID")
    refusal(mesh, context)
    assert mesh.witness.answers == [
        ("POST", methods.ACTIVATE, "OK"),
        ("POST", "other", "UNIMPLEMENTED"),
        ("POST", methods.ACTIVATE, "INVALID_ARGUMENT"),
    ]


def test_a_marble_enrols_with_its_own_key(mesh, context) -> None:
    request = ActivateRequest(evidence=b"e", csr=b"c", marble_type="t", uuid="u", coordinator_nonce=b"n" * 32)
    reply = world.call(mesh.address, context, methods.ENROL, request, ActivateResponse)
    assert list(reply.certificate_chain) == [b"leaf", b"intermediate"]
    assert (reply.coordinator_evidence, dict(reply.files)) == (b"evidence", {"/f": b"x"})
    assert (reply.not_after_unix - reply.renew_after_unix, reply.trust_domain) == (86400, "mesh-ab")
    assert (reply.simulation, list(reply.relaxations), reply.ttls) == (True, ["lenient-manifest"], b"")
    assert mesh.coordinator.seen[0].coordinator_nonce == b"n" * 32


def test_a_marble_renews_by_the_certificate_it_shows(mesh, context) -> None:
    reply = world.call(
        mesh.address, context, methods.RENEW, RenewRequest(evidence=b"e", csr=b"c"), RenewResponse
    )
    assert list(reply.coordinator_chain) == [b"intermediate", b"root"]
    assert mesh.coordinator.seen[0].client_chain == (STRANGER.der,)


def test_a_tpm_is_challenged_where_that_is_needed(mesh, context) -> None:
    ask = ChallengeRequest(evidence=b"e")
    posed = world.call(mesh.address, context, methods.CHALLENGE, ask, ChallengeResponse)
    assert (posed.credential_blob, posed.encrypted_secret, posed.token) == (b"blob", b"seed", b"token")
    ask = ChallengeRequest(evidence=b"known")
    assert world.call(mesh.address, context, methods.CHALLENGE, ask, ChallengeResponse) == ChallengeResponse()
    assert [seen.client_cert for seen in mesh.coordinator.seen] == [STRANGER.der] * 2


@pytest.mark.parametrize(
    ("path", "message", "reply"),
    [(methods.ENROL, ActivateRequest, ActivateResponse), (methods.RENEW, RenewRequest, RenewResponse)],
)
def test_an_answer_to_a_challenge_arrives(mesh, context, path, message, reply) -> None:
    world.call(mesh.address, context, path, message(), reply)
    world.call(mesh.address, context, path, message(answer=ChallengeAnswer(token=b"t", secret=b"s")), reply)
    without, with_answer = mesh.coordinator.seen
    assert without.answer is None
    assert (with_answer.answer.token, with_answer.answer.secret) == (b"t", b"s")


def test_many_calls_share_one_connection(mesh, context) -> None:
    async def calls() -> list[ActivationResp]:
        channel = Channel(*mesh.address, ssl=context)
        method = UnaryUnaryMethod(channel, methods.ACTIVATE, ActivationReq, ActivationResp)
        try:
            return await asyncio.gather(*(method(ActivationReq(UUID=str(n))) for n in range(100)))
        finally:
            await world.hang_up(channel)

    assert len(asyncio.run(calls())) == 100
    assert sorted(seen.uuid for seen in mesh.coordinator.seen) == sorted(map(str, range(100)))


def test_a_large_answer_arrives_whole(mesh, context) -> None:
    huge = bytes(range(256)) * 8192  # 2 MiB, far over the windows of both sides
    mesh.coordinator.activate = lambda _: SimpleNamespace(parameters=world.Rendered(env={"BIG": huge}))
    assert world.activate(mesh.address, context).Env["BIG"] == huge


# -- refusals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (PhaseError("no manifest"), Status.FAILED_PRECONDITION),
        (UnknownMarbleType("no such type"), Status.PERMISSION_DENIED),
        (EvidenceRefused("the quote does not fit"), Status.PERMISSION_DENIED),
        (BadUuid("no UUID"), Status.INVALID_ARGUMENT),
        (BadCertificateRequest("the CSR is broken"), Status.INTERNAL),
    ],
)
def test_refusals_have_marbleruns_status(mesh, context, trouble, status) -> None:
    mesh.coordinator.trouble = trouble
    error = refusal(mesh, context)
    assert error.status is status
    assert str(trouble) in (error.message or "")


def test_our_own_service_has_the_status_of_the_kind(mesh, context) -> None:
    mesh.coordinator.trouble = BadCertificateRequest("the CSR is broken")
    with pytest.raises(GRPCError) as caught:
        world.call(mesh.address, context, methods.ENROL, ActivateRequest(), ActivateResponse)
    assert caught.value.status is Status.INVALID_ARGUMENT


def test_a_refusal_carries_its_details(mesh, context) -> None:
    mismatch = SimpleNamespace(field="MRENCLAVE", found="aa", wanted="bb")
    mesh.coordinator.trouble = EvidenceRefused("refused", remedy="Sign again.", mismatches=[mismatch])
    with RawH2(mesh.address, context) as raw:
        headers = raw.headers(raw.request(body=framed(b"")))
    packed = headers[methods.ERROR_DETAIL_KEY]
    detail = ErrorDetail.FromString(base64.b64decode(packed + "=" * (-len(packed) % 4)))
    assert (detail.code, detail.remedy) == ("evidence-refused", "Sign again.")
    assert [(m.field, m.found, m.wanted) for m in detail.mismatches] == [("MRENCLAVE", "aa", "bb")]


def test_a_long_refusal_still_fits_into_a_clients_headers(mesh, context) -> None:
    mismatches = [SimpleNamespace(field=str(n), found="ü" * 5000, wanted="w" * 5000) for n in range(100)]
    mesh.coordinator.trouble = EvidenceRefused("ü\n" * 5000, found="f" * 5000, mismatches=mismatches)
    error = refusal(mesh, context)
    assert error.status is Status.PERMISSION_DENIED
    assert (error.message or "").startswith("ü\nü")


def test_a_fault_of_ours_is_internal_without_detail(context) -> None:
    with world.serving("mesh", faultless=False) as mesh:
        mesh.coordinator.trouble = KeyError("the secret of all secrets")
        error = refusal(mesh, context)
        assert (error.status, error.message) == (Status.INTERNAL, "internal error")
        assert mesh.witness.faults == [mesh.coordinator.trouble]


@pytest.mark.parametrize(
    "path", ["/rpc.Marble/Deactivate", "/rpc.Other/Activate", "/", "/rpc.Marble/activate"]
)
def test_unknown_methods_are_unimplemented(mesh, context, path) -> None:
    assert refusal(mesh, context, path).status is Status.UNIMPLEMENTED


@pytest.mark.parametrize("size", [4 * 1024 * 1024, 4_300_000, 9_000_000])
def test_a_message_over_4_mib_is_resource_exhausted(mesh, context, size) -> None:
    error = refusal(mesh, context, request=ActivationReq(Quote=bytes(size)))
    assert error.status is Status.RESOURCE_EXHAUSTED
    assert mesh.coordinator.seen == []


def test_a_message_of_just_4_mib_is_served(mesh, context) -> None:
    overhead = len(ActivationReq(Quote=bytes(4_000_000)).SerializeToString()) - 4_000_000
    world.activate(mesh.address, context, Quote=bytes(4 * 1024 * 1024 - overhead))
    assert len(mesh.coordinator.seen) == 1


def test_a_peer_that_sends_on_and_on_after_its_refusal_is_reset(context) -> None:
    limits = world.limits_of("mesh", drain_bytes=100_000)
    with world.serving("mesh", limits=limits) as mesh, RawH2(mesh.address, context) as raw:
        stream = raw.request(body=b"", end=False)
        assert send_on_and_on(raw, stream).error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert any("grpc-status" in str(getattr(event, "headers", "")) for event in raw.events)


def send_on_and_on(raw: RawH2, stream: int) -> h2.events.StreamReset:
    """Send until the stream is reset, which may come when there is no room, or in the middle of sending."""
    over = h2.events.WindowUpdated | h2.events.StreamReset
    for _ in range(10_000):
        try:
            room = min(raw.h2.local_flow_control_window(stream), 16384)
            if room:
                raw.h2.send_data(stream, bytes(room))
                raw.flush()
                continue
        except h2.exceptions.StreamClosedError:
            over = h2.events.StreamReset
        event = raw.until(lambda e, over=over: isinstance(e, over))
        if isinstance(event, h2.events.StreamReset):
            return event
    raise AssertionError("never reset")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", Status.INTERNAL),
        (b"\0\0", Status.INTERNAL),
        (b"\0\0\0\0\x05abc", Status.INTERNAL),
        (b"\0\0\0\0\x01abc", Status.INTERNAL),
        (b"\x01\0\0\0\x01a", Status.UNIMPLEMENTED),
        (framed(b"\xff\xff\xff"), Status.INVALID_ARGUMENT),
    ],
)
def test_a_body_that_is_no_message_is_refused(mesh, context, body, status) -> None:
    with RawH2(mesh.address, context) as raw:
        assert raw.headers(raw.request(body=body))["grpc-status"] == str(status.value)
    assert mesh.coordinator.seen == []


def test_what_is_not_grpc_gets_an_http_status(mesh, context) -> None:
    with RawH2(mesh.address, context) as raw:
        assert raw.headers(raw.request(method="GET"))[":status"] == "405"
        stream = raw.h2.get_next_available_stream_id()
        raw.h2.send_headers(
            stream, [(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "x")], True
        )
        raw.flush()
        assert raw.headers(stream)[":status"] == "415"


# -- what a peer may not do --------------------------------------------------------------------------------


def hung_up(raw: RawH2) -> bool:
    return raw.until(lambda e: isinstance(e, h2.events.ConnectionTerminated)) is not None or True


def test_more_streams_than_allowed_end_the_connection(context) -> None:
    limits = world.limits_of("mesh", streams=4)
    with world.serving("mesh", limits=limits) as mesh, RawH2(mesh.address, context) as raw:
        raw.until(lambda e: isinstance(e, h2.events.RemoteSettingsChanged))
        assert raw.h2.remote_settings.max_concurrent_streams == 4
        raw.h2.remote_settings.update({3: 100})
        raw.h2.remote_settings.acknowledge()
        for _ in range(5):
            raw.request(end=False)
        assert hung_up(raw)
        world.eventually(lambda: mesh.listener.connections == 0)


def test_a_rapid_reset_flood_ends_the_connection(mesh, context) -> None:
    mesh.coordinator.gate.clear()
    with RawH2(mesh.address, context) as raw:
        with pytest.raises((OSError, AssertionError)):
            flood_with_resets(raw)
        world.eventually(lambda: mesh.listener.connections == 0)
    mesh.coordinator.gate.set()


def flood_with_resets(raw: RawH2) -> None:
    for _ in range(2000):
        stream = raw.request(end=False)
        raw.h2.reset_stream(stream)
        raw.flush()
    assert raw.socket.recv(1_000_000) == b"", "the server bears it"
    raise AssertionError("hung up at the end")


@pytest.mark.parametrize(
    "extra",
    [
        [(f"x-{n}", "v") for n in range(100)],
        [("x-long", "v" * 60_000)],
        [(f"x-{n}", "v" * 4000) for n in range(12)],
    ],
    ids=["many", "long", "both"],
)
def test_too_many_headers_are_not_served(mesh, context, extra) -> None:
    with RawH2(mesh.address, context) as raw:
        raw.request(body=framed(b""), extra=extra)
        event = raw.until(lambda e: isinstance(e, h2.events.StreamReset | h2.events.ConnectionTerminated))
        assert event is not None
    assert mesh.coordinator.seen == []


def test_a_slow_sender_is_ended(context) -> None:
    limits = world.limits_of("mesh", request_seconds=0.2, linger_seconds=0.2)
    with world.serving("mesh", limits=limits) as mesh, RawH2(mesh.address, context) as raw:
        raw.request(body=b"\0\0", end=False)
        assert hung_up(raw)
        world.eventually(lambda: mesh.listener.connections == 0)
        assert mesh.witness.evictions == ["a request took too long"]


def test_a_slow_reader_is_ended(context) -> None:
    limits = world.limits_of("mesh", response_seconds=0.2, linger_seconds=0.2)
    with world.serving("mesh", limits=limits) as mesh, RawH2(mesh.address, context) as raw:
        huge = world.Rendered(env={"BIG": bytes(3_000_000)})
        mesh.coordinator.activate = lambda _: SimpleNamespace(parameters=huge)
        raw.request(body=framed(b""))  # and never a window update
        world.eventually(lambda: mesh.witness.evictions == ["a request took too long"])
        world.eventually(lambda: mesh.listener.connections == 0)


def test_an_idle_connection_is_hung_up_on(context) -> None:
    limits = world.limits_of("mesh", idle_seconds=0.2)
    with world.serving("mesh", limits=limits) as mesh, RawH2(mesh.address, context) as raw:
        assert hung_up(raw)
        world.eventually(lambda: mesh.listener.connections == 0)


def test_large_messages_together_are_bounded(context) -> None:
    limits = world.limits_of("mesh", body_bytes_total=1_000_000)
    with world.serving("mesh", limits=limits) as mesh, RawH2(mesh.address, context) as raw:
        error = refusal(mesh, context, request=ActivationReq(Quote=bytes(2_000_000)))
        assert error.status is Status.UNAVAILABLE
        raw.request(body=framed(bytes(10)))
        world.activate(mesh.address, context, Quote=bytes(900_000))
        assert mesh.listener._serving.body_bytes == 0


def test_a_call_that_the_peer_abandoned_leaves_nothing_behind(mesh, context) -> None:
    mesh.coordinator.gate.clear()
    with RawH2(mesh.address, context) as raw:
        stream = raw.request(body=framed(ActivationReq(Quote=bytes(1000)).SerializeToString()))
        world.eventually(lambda: mesh.coordinator.seen)
        raw.h2.reset_stream(stream)
        raw.flush()
        world.eventually(lambda: mesh.listener._serving.body_bytes == 0)
    mesh.coordinator.gate.set()
    world.eventually(lambda: mesh.listener.connections == 0)
    assert world.activate(mesh.address, context).Argv


@pytest.mark.parametrize(
    "frames",
    [
        b"\0\0\x04\x08\0\0\0\0\0\0\0\0\0",  # WINDOW_UPDATE of 0
        b"\xff\xff\xff\0\0\0\0\0\x01",  # a frame of 16 MiB
        b"\0\0\0\x09\x04\0\0\0\x01",  # CONTINUATION of nothing
        b"\0\0\0\0\x01\0\0\0\x05",  # DATA on no stream
        b"\0\0\x01\x01\x05\0\0\0\x01\xff",  # HEADERS that are no HPACK
        b"\0\0\x00\xfa\0\0\0\0\x01" * 3,  # unknown frames: to be ignored
        b"\0\0\x05\x02\0\0\0\0\x01\0\0\0\0\0",  # PRIORITY
        b"\0\0\x08\x06\0\0\0\0\0abcdefgh" * 50,  # PINGs
    ],
)
def test_odd_frames_do_no_harm(mesh, context, frames) -> None:
    with RawH2(mesh.address, context) as raw:
        raw.socket.sendall(frames)
        raw.socket.settimeout(0.3)
        try:
            while raw.socket.recv(65536):
                pass
        except OSError:
            pass
    assert world.activate(mesh.address, context).Argv


# -- the end -------------------------------------------------------------------------------------------


def test_calls_in_the_making_are_answered_before_the_server_stops(context) -> None:
    coordinator = world.FakeCoordinator()
    coordinator.gate.clear()
    server = world.Server("mesh", "asyncio", coordinator, None)
    with RawH2(server.address, context) as raw:
        stream = raw.request(body=framed(b""))
        world.eventually(lambda: coordinator.seen)
        stopping = asyncio.run_coroutine_threadsafe(server.server.stop(20), server._loop)
        world.eventually(lambda: not server.listener.accepting)
        coordinator.gate.set()
        assert raw.headers(stream)[":status"] == "200"
        stopping.result(20)
    server.stop()
