"""The mesh port over Connect, as Marbles of ours and other Connect clients see it (HTTP/1.1 and HTTP/2)."""

import json
import ssl
from types import SimpleNamespace

import httpx
import pytest
import transport_world as world

from sealmesh.errors.coordinator import BadCertificateRequest, BadUuid, EvidenceRefused, PhaseError
from sealmesh.wire import methods
from sealmesh.wire.connect import parse_refusal
from sealmesh.wire.enrolment_pb2 import ActivateRequest, ActivateResponse, ErrorDetail
from sealmesh.wire.marble_pb2 import ActivationReq, ActivationResp
from sealmesh.wire.status import Status

STRANGER = world.party("stranger")
PROTO = {"content-type": "application/proto"}
SMALL = ActivateRequest(marble_type="t", uuid="u").SerializeToString()


@pytest.fixture(params=["asyncio", "uvloop"])
def mesh(request):
    with world.serving("mesh", loop=request.param) as server:
        yield server


def signing(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let httpx, which names the protocols itself, offer ours as well."""
    offer = context.set_alpn_protocols
    context.set_alpn_protocols = lambda names: offer([*names, methods.OWN_ALPN])  # type: ignore[method-assign]
    return context


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def client(request, tmp_path):
    two = request.param == "HTTP/2"
    context = signing(world.client_context(STRANGER, tmp_path))
    with httpx.Client(verify=context, http1=not two, http2=two, trust_env=False, timeout=20) as client:
        client.version = request.param  # type: ignore[attr-defined]
        yield client


def post(client, server, path=methods.ENROL, body=SMALL, headers=PROTO) -> httpx.Response:
    response = client.post(f"https://127.0.0.1:{server.address[1]}{path}", content=body, headers=headers)
    assert response.http_version == client.version
    return response


def test_a_marble_enrols(mesh, client) -> None:
    response = post(client, mesh)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/proto")
    assert list(ActivateResponse.FromString(response.content).certificate_chain) == [b"leaf", b"intermediate"]
    (seen,) = mesh.coordinator.seen
    assert (seen.marble_type, seen.uuid, seen.client_cert) == ("t", "u", STRANGER.der)


def test_marbleruns_call_is_there_as_well(mesh, client) -> None:
    body = ActivationReq(MarbleType="baker").SerializeToString()
    answer = ActivationResp.FromString(post(client, mesh, methods.ACTIVATE, body).content)
    assert answer.Parameters.Env["CERT"] == STRANGER.der


def test_calls_share_a_connection(mesh, client) -> None:
    for _ in range(5):
        assert post(client, mesh).status_code == 200
    assert mesh.listener.connections == 1


def test_the_observer_hears_of_calls_as_of_grpcs(mesh, client) -> None:
    post(client, mesh)
    post(client, mesh, "/secret/Path")
    mesh.coordinator.trouble = BadUuid("no UUID")
    post(client, mesh)
    assert mesh.witness.answers == [
        ("POST", methods.ENROL, "OK"),
        ("POST", "other", "UNIMPLEMENTED"),
        ("POST", methods.ENROL, "INVALID_ARGUMENT"),
    ]


@pytest.mark.parametrize(
    ("trouble", "http_status", "code"),
    [
        (PhaseError("no manifest"), 400, "failed_precondition"),
        (EvidenceRefused("the quote does not fit"), 403, "permission_denied"),
        (BadCertificateRequest("the CSR is broken"), 400, "invalid_argument"),
    ],
)
def test_a_refusal_says_its_code_and_details(mesh, client, trouble, http_status, code) -> None:
    mesh.coordinator.trouble = trouble
    response = post(client, mesh)
    assert (response.status_code, response.headers["content-type"]) == (http_status, "application/json")
    document = response.json()
    assert (document["code"], document["message"]) == (code, str(trouble))
    assert [each["type"] for each in document["details"]] == [ErrorDetail.DESCRIPTOR.full_name]
    detail = parse_refusal(response.content).detail
    assert detail is not None
    assert (detail.code, detail.message) == (trouble.code, trouble.message)


def test_mismatches_arrive(mesh, client) -> None:
    mismatch = SimpleNamespace(field="MRENCLAVE", found="aa", wanted="bb")
    mesh.coordinator.trouble = EvidenceRefused("refused", mismatches=[mismatch])
    detail = parse_refusal(post(client, mesh).content).detail
    assert detail is not None
    assert [(each.field, each.found, each.wanted) for each in detail.mismatches] == [
        ("MRENCLAVE", "aa", "bb")
    ]


def test_a_fault_of_ours_is_internal_without_detail(client) -> None:
    with world.serving("mesh", faultless=False) as mesh:
        mesh.coordinator.trouble = KeyError("the secret of all secrets")
        response = post(client, mesh)
        assert (response.status_code, response.json()) == (
            500,
            {"code": "internal", "message": "internal error"},
        )
        assert mesh.witness.faults == [mesh.coordinator.trouble]


@pytest.mark.parametrize(
    ("changes", "body", "status"),
    [
        ({"connect-protocol-version": "1"}, SMALL, None),
        ({"content-encoding": "identity"}, SMALL, None),
        ({"connect-protocol-version": "2"}, SMALL, Status.INVALID_ARGUMENT),
        ({"content-encoding": "gzip"}, SMALL, Status.UNIMPLEMENTED),
        ({}, b"\xff\xff\xff", Status.INVALID_ARGUMENT),
        ({}, bytes(4_300_000), Status.RESOURCE_EXHAUSTED),
    ],
)
def test_only_one_readable_message_is_a_call(mesh, client, changes, body, status) -> None:
    response = post(client, mesh, body=body, headers=PROTO | changes)
    if status is None:
        assert response.status_code == 200
    else:
        assert parse_refusal(response.content).status is status
        assert mesh.coordinator.seen == []


@pytest.mark.parametrize("path", ["/", "/sealmesh.mesh.v1.Enrolment/Deactivate", "/rpc.marble/Activate"])
def test_unknown_methods_are_unimplemented(mesh, client, path) -> None:
    response = post(client, mesh, path)
    assert (response.status_code, response.json()["code"]) == (501, "unimplemented")


@pytest.mark.parametrize("kind", ["application/json", "application/connect+proto", "text/plain", ""])
def test_other_kinds_of_messages_are_not_taken(mesh, client, kind) -> None:
    response = post(client, mesh, body=b"{}", headers={"content-type": kind})
    assert response.status_code == 415
    assert "application/proto" in response.headers["accept-post"]
    assert mesh.coordinator.seen == []


def test_only_post_is_a_call(mesh, client) -> None:
    response = client.get(f"https://127.0.0.1:{mesh.address[1]}{methods.ENROL}")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_grpc_over_http_1_is_refused_rather_than_answered_without_a_status(mesh, tmp_path) -> None:
    context = signing(world.client_context(STRANGER, tmp_path))
    with httpx.Client(verify=context, trust_env=False) as client:
        url = f"https://127.0.0.1:{mesh.address[1]}{methods.ACTIVATE}"
        headers = {"content-type": "application/grpc", "te": "trailers"}
        response = client.post(url, content=bytes(5), headers=headers)
    assert (response.http_version, response.status_code) == ("HTTP/1.1", 505)
    assert mesh.coordinator.seen == []


def test_a_refusal_with_any_text_is_json(mesh, client) -> None:
    mesh.coordinator.trouble = BadUuid('"\n\u2028\ud800' * 300)
    assert json.loads(post(client, mesh).content)["code"] == "invalid_argument"
