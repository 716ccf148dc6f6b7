"""What the wrappers around Coordinator and applications count."""

import asyncio
from datetime import UTC, datetime

import pytest

from sealmesh.adapters.http import BodyState, Request, Response, Silence
from sealmesh.adapters.telemetry import Telemetry
from sealmesh.adapters.telemetry.snapshot import render
from sealmesh.coordinator.api import ActivationRequest, EnrolRequest
from sealmesh.errors.coordinator import UnknownMarbleType
from sealmesh.wire import methods

SECRET = b"-----BEGIN PRIVATE KEY-----"
CALL = b"\0\0\0\0\x02hi"


def request(method="GET", path="/status", body=b"", state=BodyState.WHOLE, headers=()):
    return Request(
        method=method,
        path=path,
        query="",
        headers=headers,
        body=body,
        body_state=state,
        peer_address="127.0.0.1",
        peer_chain=tuple,
        has_trailers=True,
    )


def call(path=methods.ACTIVATE, body=CALL, **changes):
    return request("POST", path, body, headers=(("content-type", "application/grpc"),), **changes)


def answering(status=200, body=b"", headers=(), trailers=()):
    async def application(_request):
        return Response(status=status, body=body, headers=headers, trailers=trailers)

    return application


@pytest.fixture
def telemetry():
    return Telemetry(clock=lambda: datetime(2031, 1, 1, tzinfo=UTC))


def lines(telemetry, family):
    text = render(telemetry.snapshot()).decode()
    return sorted(
        line.removeprefix(family) for line in text.splitlines() if line.startswith(f"{family}{{")
    )  # fmt: skip


def counted(telemetry, family):
    return [line for line in lines(telemetry, family) if not line.endswith(" 0.0")]


class Bakery:
    """A Coordinator that knows bakers."""

    def activate(self, request):
        if request.marble_type != "baker":
            raise UnknownMarbleType("no such type")
        return "parameters"

    enrol = activate

    def status(self):
        return "status"


def application(marble_type="baker", uuid="u", kind=ActivationRequest, **more):
    return kind(evidence=b"E", csr=SECRET, marble_type=marble_type, uuid=uuid, client_cert=SECRET, **more)


# -- activations ---------------------------------------------------------------------------------------


def test_attempts_and_successes_are_counted_and_successes_are_events(telemetry):
    coordinator = telemetry.coordinator(Bakery())
    for number in range(3):
        assert coordinator.activate(application(uuid=f"u{number}")) == "parameters"
    coordinator.enrol(application(kind=EnrolRequest, coordinator_nonce=bytes(32)))
    with pytest.raises(UnknownMarbleType):
        coordinator.activate(application("nope"))
    assert lines(telemetry, "coordinator_marble_activations_total") == [
        '{type="baker",uuid="*"} 4.0',
        '{type="nope",uuid="*"} 1.0',
    ]
    assert lines(telemetry, "coordinator_marble_activations_success_total") == ['{type="baker",uuid="*"} 4.0']
    assert [event["activation"]["uuid"] for event in telemetry.events()] == ["u0", "u1", "u2", "u"]


def test_everything_else_reaches_the_coordinator(telemetry):
    assert telemetry.coordinator(Bakery()).status() == "status"


def test_a_flood_of_made_up_types_and_uuids_makes_few_series(telemetry):
    coordinator = telemetry.coordinator(Bakery())
    for number in range(2000):
        with pytest.raises(UnknownMarbleType):
            coordinator.activate(application(f"made up {number}", uuid=f"u{number}"))
        coordinator.activate(application(uuid=f"u{number}"))
    assert len(lines(telemetry, "coordinator_marble_activations_total")) == 66
    assert len(telemetry.events()) == 1000


def test_nothing_of_a_request_but_its_evidence_is_shown(telemetry):
    telemetry.coordinator(Bakery()).activate(application())
    shown = render(telemetry.snapshot()) + str(telemetry.events()).encode()
    assert SECRET not in shown


# -- the client port -----------------------------------------------------------------------------------


async def test_requests_are_counted_by_code_method_and_path(telemetry):
    client = telemetry.client(answering(405, b"12345"))
    await client(request("POST", "/status", b"x" * 120))
    await client(request("GET", "/%73tatus"))
    assert lines(telemetry, "server_client_api_http_request_total") == [
        '{code="405",method="get",path="/status"} 1.0',
        '{code="405",method="post",path="/status"} 1.0',
    ]
    assert '{le="100",path="/status"} 2.0' in lines(
        telemetry, "server_client_api_http_response_size_histogram_bytes_bucket"
    )
    assert '{le="100",path="/status"} 1.0' in lines(
        telemetry, "server_client_api_http_request_size_histogram_bytes_bucket"
    )
    assert '{method="get",path="/status"} 1.0' in lines(
        telemetry, "server_client_api_http_request_duration_histogram_seconds_count"
    )


async def test_paths_and_methods_that_were_made_up_make_one_series(telemetry):
    client = telemetry.client(answering(405))
    for number in range(500):
        await client(request(f"M{number}", f"/made-up/{number}%zz%ff"))
    assert lines(telemetry, "server_client_api_http_request_total") == [
        '{code="405",method="other",path="other"} 500.0'
    ]


async def test_a_fault_is_counted_as_500_and_goes_on_its_way(telemetry):
    async def broken(_request):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await telemetry.client(broken)(request())
    assert lines(telemetry, "server_client_api_http_request_total") == [
        '{code="500",method="get",path="/status"} 1.0'
    ]
    assert counted(telemetry, "server_client_api_http_in_flight_requests") == []


async def test_a_client_that_hung_up_is_counted_and_no_longer_in_flight(telemetry):
    begun = asyncio.Event()

    async def slow(_request):
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(telemetry.client(slow)(request()))
    await begun.wait()
    assert counted(telemetry, "server_client_api_http_in_flight_requests") == ['{path="/status"} 1.0']
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert counted(telemetry, "server_client_api_http_in_flight_requests") == []
    assert lines(telemetry, "server_client_api_http_request_total") == [
        '{code="499",method="get",path="/status"} 1.0'
    ]


# -- the mesh port -------------------------------------------------------------------------------------

LABELS = 'grpc_method="Activate",grpc_service="rpc.Marble",grpc_type="unary"}'


def test_all_codes_of_all_methods_are_there_from_the_start(telemetry):
    assert len(lines(telemetry, "grpc_server_handled_total")) == 17 * 4
    assert counted(telemetry, "grpc_server_handled_total") == []


async def test_a_call_is_counted_from_its_message_to_its_code(telemetry):
    await telemetry.mesh(answering(body=b"x", trailers=(("grpc-status", "0"),)))(call())
    await telemetry.mesh(answering(headers=(("grpc-status", "7"),)))(call())
    assert counted(telemetry, "grpc_server_started_total") == [f"{{{LABELS} 2.0"]
    assert counted(telemetry, "grpc_server_msg_received_total") == [f"{{{LABELS} 2.0"]
    assert counted(telemetry, "grpc_server_msg_sent_total") == [f"{{{LABELS} 1.0"]
    assert counted(telemetry, "grpc_server_handled_total") == [
        f'{{grpc_code="OK",{LABELS} 1.0',
        f'{{grpc_code="PermissionDenied",{LABELS} 1.0',
    ]


async def test_a_connect_call_counts_as_grpcs_do(telemetry):
    headers = (("content-type", "application/proto"),)
    one = request("POST", methods.ACTIVATE, b"hi", headers=headers)
    await telemetry.mesh(answering(body=b"x"))(one)
    await telemetry.mesh(answering(status=403, body=b'{"code": "permission_denied"}'))(one)
    await telemetry.mesh(answering(status=500))(one)
    assert counted(telemetry, "grpc_server_msg_received_total") == [f"{{{LABELS} 3.0"]
    assert counted(telemetry, "grpc_server_msg_sent_total") == [f"{{{LABELS} 1.0"]
    assert counted(telemetry, "grpc_server_handled_total") == [
        f'{{grpc_code="{code}",{LABELS} 1.0' for code in ("OK", "PermissionDenied", "Unknown")
    ]
    too_large = request("POST", methods.ACTIVATE, b"", BodyState.TOO_LARGE, headers=headers)
    await telemetry.mesh(answering(status=429))(too_large)
    assert b"sealmesh_grpc_unreadable_total 1.0\n" in render(telemetry.snapshot())


@pytest.mark.parametrize(
    "sent",
    [
        call(path="/rpc.Marble/MadeUp"),
        call(body=b"", state=BodyState.TOO_LARGE),
        call(body=b"\1\0\0\0\0"),
        request("POST", methods.ACTIVATE, CALL),
        request("GET", methods.ACTIVATE, CALL),
    ],
    ids=["no method", "too large", "compressed", "no content type", "GET"],
)
async def test_what_is_no_call_is_counted_apart(telemetry, sent):
    await telemetry.mesh(answering(headers=(("grpc-status", "12"),)))(sent)
    assert counted(telemetry, "grpc_server_started_total") == []
    assert b"sealmesh_grpc_unreadable_total 1.0\n" in render(telemetry.snapshot())


@pytest.mark.parametrize("status", ["99", "x", "-1", ""])
async def test_an_impossible_code_is_unknown(telemetry, status):
    await telemetry.mesh(answering(headers=(("grpc-status", status),)))(call())
    assert counted(telemetry, "grpc_server_handled_total") == [f'{{grpc_code="Unknown",{LABELS} 1.0']


# -- connections ---------------------------------------------------------------------------------------


def test_what_happens_to_connections_is_counted_and_passed_on(telemetry):
    heard = []

    class Ear(Silence):
        def handshake_failed(self, peer_address, reason):
            heard.append((peer_address, reason))

    observer = telemetry.observer("mesh", Ear())
    observer.handshake_failed("192.0.2.7", "no certificate")
    observer.evicted("192.0.2.7", "slow")
    observer.fault("x", ZeroDivisionError())
    observer.answered("GET", "/", "200", 0.1)
    assert heard == [("192.0.2.7", "no certificate")]
    for family in ("tls_handshakes_failed", "connections_evicted", "faults"):
        assert lines(telemetry, f"sealmesh_{family}_total") == ['{port="client"} 0.0', '{port="mesh"} 1.0']
    assert b"192.0.2.7" not in render(telemetry.snapshot())


def test_two_processes_parts_share_nothing(telemetry):
    telemetry.coordinator(Bakery()).activate(application())
    assert lines(Telemetry(), "coordinator_marble_activations_total") == []
