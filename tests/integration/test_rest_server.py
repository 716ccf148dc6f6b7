"""The client port over HTTP/1.1 and HTTP/2: MarbleRun's routes, envelope and order of checks."""

import asyncio
import base64
import json
import socket
import ssl
import time
from pathlib import Path

import httpx
import pytest
import transport_world as world

from sealmesh.adapters.rest.routes import ROUTES
from sealmesh.attestation.results import Form
from sealmesh.coordinator.api import ResultRequest
from sealmesh.coordinator.phase import Act
from sealmesh.errors.coordinator import (
    NothingPending,
    PermissionRefused,
    PhaseError,
    QuoteNotVerified,
    RecoveryRefused,
    UnknownSecret,
)
from sealmesh.errors.results import ResultUnknown

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "compat" / "golden"


ADA = world.party("ada")
V2 = "/api/v2"
OWN = "/api/sealmesh/v1"
NOT_FOUND = {"status": "error", "data": None}


class Api:
    """A client of the client port, with Ada's certificate or without one."""

    def __init__(self, server, tmp_path, http2: bool) -> None:
        self.server = server
        self.coordinator = server.coordinator
        base = f"https://127.0.0.1:{server.address[1]}"
        offered = ("h2", "http/1.1") if http2 else ("http/1.1",)
        self.http_version = "HTTP/2" if http2 else "HTTP/1.1"
        self.clients = [
            httpx.Client(
                base_url=base,
                verify=world.client_context(who, tmp_path, offered),
                http2=http2,
                trust_env=False,
                timeout=30,
            )
            for who in (None, ADA)
        ]

    def __call__(self, method: str, path: str, body: object = None, *, ada: bool = False) -> httpx.Response:
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        answer = self.clients[ada].request(method, path, content=content)
        assert answer.http_version == self.http_version
        return answer

    def target(self, method: str, target: str) -> httpx.Response:
        """Send a request whose target goes out as it is."""
        return self.clients[0].request(method, "/", extensions={"target": target.encode()})

    def close(self) -> None:
        for client in self.clients:
            client.close()


@pytest.fixture(params=["HTTP/1.1 on asyncio", "HTTP/2 on uvloop"])
def api(request, tmp_path):
    version, _, loop = request.param.partition(" on ")
    with world.serving("client", loop=loop) as server:
        server.coordinator.user = ADA.der
        api = Api(server, tmp_path, version == "HTTP/2")
        try:
            yield api
        finally:
            api.close()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def kind(answer: httpx.Response) -> tuple[int, str]:
    """Return HTTP status and `status`, after a check that the rest of the answer is as the contract says."""
    document = answer.json()
    assert answer.text.endswith("}\n")
    assert set(document) <= {"status", "data", "message"}
    if document["status"] == "error":
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
    else:
        assert answer.headers["content-type"] == "application/json"
        assert "x-content-type-options" not in answer.headers
    return answer.status_code, document["status"]


def data(answer: httpx.Response) -> object:
    assert kind(answer) == (200, "success")
    assert "message" not in answer.json()
    return answer.json()["data"]


# -- answers ---------------------------------------------------------------------------------------


def test_reads_before_a_manifest(api) -> None:
    assert data(api("GET", "/status")) == {"StatusCode": 2, "StatusMessage": "ready"}
    assert data(api("GET", f"{V2}/status")) == {"code": 2, "message": "ready"}
    assert data(api("GET", "/manifest")) == {
        "ManifestSignatureRootECDSA": None,
        "ManifestSignature": "",
        "Manifest": None,
    }
    assert data(api("GET", "/quote")) == {"Cert": "PEM", "Quote": b64(b"E")}
    assert data(api("GET", f"{V2}/quote")) == {"cert": "PEM", "quote": b64(b"E")}
    assert kind(api("GET", f"{V2}/manifest")) == (500, "error")
    assert kind(api("GET", "/update")) == (500, "error")
    assert kind(api("GET", f"{V2}/update")) == (500, "error")
    assert kind(api("GET", "/update-manifest")) == (404, "error")
    assert kind(api("GET", f"{V2}/update-manifest")) == (404, "error")


def test_a_manifest_is_set_and_read_over_v1(api) -> None:
    assert data(api("POST", "/manifest", b"{}")) is None
    assert data(api("GET", "/manifest")) == {
        "ManifestSignatureRootECDSA": b64(b"S"),
        "ManifestSignature": "ab",
        "Manifest": b64(b"{}"),
    }
    assert data(api("GET", "/update")) == '{"a":1}\n{"b":2}\n'
    assert kind(api("POST", "/manifest", b"{}")) == (400, "error")


def test_a_manifest_is_set_and_read_over_v2(api) -> None:
    assert data(api("POST", f"{V2}/manifest", {"manifest": b64(b"{}")})) == {"RecoverySecrets": {}}
    assert data(api("GET", f"{V2}/manifest")) == {
        "manifestSignatureRootECDSA": b64(b"S"),
        "manifestFingerprint": "ab",
        "manifest": b64(b"{}"),
    }
    assert data(api("GET", f"{V2}/update")) == {"updateLog": ['{"a":1}', '{"b":2}']}
    assert kind(api("POST", f"{V2}/manifest", {"manifest": b64(b"{}")})) == (500, "error")


def test_the_observer_hears_of_requests_by_our_names_only(api) -> None:
    api("GET", "/status?secret=1")
    api("GET", "/secret/path")
    heard = [("GET", "/status", "200"), ("GET", "other", "405")]
    assert api.server.witness.answers == heard


def test_users_read_and_write_secrets(api) -> None:
    plain = {"Type": "plain", "Size": 0, "Shared": False, "UserDefined": True, "Cert": None, "ValidFor": 0}
    plain |= {"Private": b64(b"v"), "Public": b64(b"v")}
    assert data(api("GET", "/secrets?s=a&s=b%20c", ada=True)) == {"a": plain, "b c": plain}
    assert data(api("GET", f"{V2}/secrets?s=a", ada=True)) == {"secrets": {"a": plain}}
    upload = {"a": {"Key": b64(b"k")}, "b": {"Cert": b64(ADA.der), "Private": b64(b"p")}, "c": None}
    assert data(api("POST", "/secrets", upload, ada=True)) is None
    assert data(api("POST", f"{V2}/secrets", {"secrets": upload}, ada=True)) is None
    first, second = (seen[1] for seen in api.coordinator.seen[-2:])
    assert first == second
    assert (first["a"].key, first["a"].private, first["a"].certificate) == (b"k", None, None)
    assert (first["b"].key, first["b"].private, first["b"].certificate) == (None, b"p", ADA.der)
    assert first["c"].key is None


def test_users_update(api) -> None:
    manifest = {"manifest": b64(b"{}")}
    assert data(api("POST", "/update", b"{}", ada=True)) is None
    assert data(api("POST", f"{V2}/update", manifest, ada=True)) == {
        "missingUsers": ["cy"],
        "missingAcknowledgments": 1,
    }
    assert data(api("POST", "/update-manifest", b"{}", ada=True)) == (
        "All users have acknowledged the update manifest. Update successfully applied"
    )
    acknowledged = data(api("POST", f"{V2}/update-manifest", manifest, ada=True))
    assert acknowledged.pop("message")
    assert acknowledged == {
        "missingUsers": None,
        "missingAcknowledgments": 0,
        "recoverySecrets": {"r": b64(b"s")},
    }
    assert isinstance(data(api("POST", "/update-cancel", ada=True)), str)
    assert set(data(api("POST", f"{V2}/update-cancel", ada=True))) == {"message"}
    api.coordinator.manifest_raw = b"{}"
    for path in ("/update-manifest", f"{V2}/update-manifest"):
        pending = data(api("GET", path))
        assert pending.pop("message") == "1 user still needs to acknowledge the update manifest"
        assert pending == {"manifest": b64(b"{}"), "missingUsers": ["cy"]}


def test_recovery(api) -> None:
    assert kind(api("POST", "/recover", b"x")) == (410, "error")
    assert data(api("GET", f"{V2}/recover/public-key")) == {
        "algorithm": "RSA",
        "ephemeralPublicKey": b64(b"spki"),
    }
    share = {"recoverySecret": b64(b"k" * 32), "recoverySecretSignature": b64(b"s")}
    answer = data(api("POST", f"{V2}/recover", share))
    assert answer["remaining"] == 1
    assert answer["message"]
    assert api.coordinator.seen[-1] == ("recover", b"k" * 32, b"s")


def test_gated_routes(api) -> None:
    api.coordinator.open_gates |= {Act.SIGN_QUOTE, Act.COUNT}
    assert data(api("POST", f"{V2}/sign-quote", {"sgxQuote": b64(b"q")})) == {
        "tcbStatus": "UpToDate",
        "verificationSignature": b64(b"S"),
    }
    big = 2**64 - 1
    assert data(api("POST", f"{V2}/monotonic-counter", {"name": "ü", "value": big})) == {"value": 7}
    assert api.coordinator.seen[-1] == ("monotonic_counter", "ü", big)


def test_our_own_routes(api) -> None:
    assert data(api("GET", f"{OWN}/status")) == {
        "code": 2,
        "message": "ready",
        "relaxations": ["lenient-manifest"],
        "simulation": True,
    }
    assert data(api("GET", f"{OWN}/quote?nonce=_-8=")) == {
        "cert": "PEM",
        "quote": b64(b"E"),
        "endorsements": b64(b"{}"),
    }
    assert api("GET", f"{OWN}/statement?nonce=AAAA").content == b'{"statement":1}'
    assert api.coordinator.seen[-2:] == [("quote", b"\xff\xef"), ("statement", b"\0\0\0")]
    api.coordinator.trouble = PhaseError("no manifest", remedy="Set one.")
    refused = api("GET", f"{OWN}/statement")
    assert refused.status_code == 412
    assert refused.json() == {
        "error": {"code": "wrong-phase", "message": "no manifest", "remedy": "Set one."}
    }


def test_result_comes_as_it_is_under_its_media_type(api) -> None:
    answer = api("GET", f"{OWN}/results")
    assert answer.content == b"a.b.c"
    media = 'application/eat+jwt; eat_profile="tag:ietf.org,2026:rats/ear#04"'
    assert answer.headers["content-type"] == media
    assert api.coordinator.seen[-1][0] == ResultRequest(form=Form.JWT)
    answer = api("GET", f"{OWN}/results?form=cwt&nonce=_-8=&marble=web&uuid=u%2B")
    assert answer.headers["content-type"].startswith("application/eat+cwt;")
    wanted = ResultRequest(form=Form.CWT, marble_type="web", uuid="u+", nonce=b"\xff\xef")
    assert api.coordinator.seen[-1][0] == wanted


def test_result_of_no_form_or_nonce_is_refused(api) -> None:
    seen = len(api.coordinator.seen)
    for query in ("form=xml", "nonce=*"):
        refused = api("GET", f"{OWN}/results?{query}")
        assert (refused.status_code, "error" in refused.json()) == (400, True)
    assert len(api.coordinator.seen) == seen


def test_unknown_result_is_404(api) -> None:
    api.coordinator.trouble = ResultUnknown("no admission")
    refused = api("GET", f"{OWN}/results")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "result-unknown")


# -- paths and methods -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"])
def test_a_wrong_method_is_405(api, method) -> None:
    for path in sorted({path for _, path in ROUTES}):
        answer = api(method, path)
        assert answer.status_code == 405
        assert "allow" not in answer.headers
        assert answer.content == b"" if method == "HEAD" else answer.json() == NOT_FOUND


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nope",
        "/status/",
        "/Status",
        "/api",
        "/api/v2/",
        "/api/v3/status",
        "/metrics",
        "/api/sealmesh/v1/x",
    ],
)
def test_an_unknown_path_is_405(api, path) -> None:
    for method in ("GET", "POST"):
        answer = api(method, path)
        assert kind(answer) == (405, "error")
        assert answer.json() == NOT_FOUND


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("//status", "/status"),
        ("/api/../status?x=1", "/status?x=1"),
        ("/./status", "/status"),
        ("/../../x/", "/x/"),
        ("/%2e%2e/a%20b", "/a%20b"),
    ],
)
def test_an_unclean_path_is_redirected(api, path, clean) -> None:
    answer = api.target("GET", path)
    assert (answer.status_code, answer.headers["location"]) == (307, clean)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_percent_encoded_path_is_the_same_path(api) -> None:
    assert api.target("GET", "/%73tatus").status_code == 200
    assert api.target("GET", "/%zz").status_code == 400


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "v1", "v2"),
    [
        (PhaseError("no"), (400, "error"), (500, "error")),
        (PermissionRefused("no"), (400, "error"), (500, "error")),
        (UnknownSecret("no"), (400, "error"), (500, "error")),
        (NothingPending("no"), (404, "error"), (404, "error")),
    ],
)
def test_refusals_by_the_rules(api, trouble, v1, v2) -> None:
    api.coordinator.trouble = trouble
    for path in ("/update", "/update-manifest", "/update-cancel"):
        wanted = v2 if path == "/update-manifest" else v1  # as the reference does
        assert kind(api("POST", path, b"{}", ada=True)) == wanted
        assert kind(api("POST", V2 + path, {"manifest": b64(b"{}")}, ada=True)) == v2
    assert kind(api("GET", "/secrets?s=a", ada=True)) == v1
    assert kind(api("GET", f"{V2}/secrets?s=a", ada=True)) == v2
    assert api("GET", f"{V2}/secrets?s=a", ada=True).json()["message"].startswith("no. ")


@pytest.mark.parametrize(
    ("path", "body"),
    [("/secrets", b"x"), ("/update", b"x"), ("/update-manifest", b"x"), ("/update-cancel", b"")],
)
def test_a_missing_certificate_wins_over_a_bad_body(api, path, body) -> None:
    assert kind(api("POST", path, body)) == (401, "error")
    assert kind(api("POST", V2 + path, body)) == (401, "fail")
    assert api.coordinator.seen == []


def test_a_closed_gate_wins_over_everything(api) -> None:
    for path in ("/sign-quote", "/monotonic-counter"):
        assert kind(api("POST", V2 + path, b"x")) == (403, "error")


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"[]", {"manifest": 5}, {"manifest": "@@@"}, {"manifest": "e30_"}]
)
def test_a_bad_body_is_400(api, body) -> None:
    assert kind(api("POST", f"{V2}/manifest", body)) == (400, "fail")
    assert kind(api("POST", f"{V2}/update", body, ada=True)) == (400, "fail")
    assert api.coordinator.seen == []


@pytest.mark.parametrize(
    ("body", "raw"),
    [
        (b"null", b""),
        (b"{}", b""),
        (b'{"manifest":null}', b""),
        (b'{"MANIFEST":"e30=","other":1} trailing', b"{}"),
        (b'{"manifest":"e3\\n0="}', b"{}"),
        (b'{"manifest":[123,125]}', b"{}"),
    ],
)
def test_bodies_are_read_as_go_reads_them(api, body, raw) -> None:
    api("POST", f"{V2}/manifest", body)
    assert api.coordinator.seen == [("set_manifest", raw)]


@pytest.mark.parametrize("query", ["", "?s=", "?s=a&s=", "?S=a", "?s=a;s=b", "?s=%zz"])
def test_a_bad_query_for_secrets_is_400(api, query) -> None:
    assert kind(api("GET", f"/secrets{query}", ada=True)) == (400, "error")
    assert kind(api("GET", f"{V2}/secrets{query}", ada=True)) == (400, "fail")


@pytest.mark.parametrize(
    ("query", "nonce"),
    [
        ("nonce=", b""),
        ("nonce=AAA%3D", b"\0\0"),
        ("nonce=AAAA&nonce=zz!", b"\0\0\0"),
        ("Nonce=zzz!", b""),
        ("nonce=" + "A" * 4000, bytes(3000)),
        ("nonce=AAA", None),
        ("nonce=%2B%2F8%3D", None),
        ("nonce=%00", None),
        ("nonce=AA==AAAA", None),
    ],
)
def test_the_nonce_of_a_quote(api, query, nonce) -> None:
    answer = api("GET", f"{V2}/quote?{query}")
    assert kind(answer) == ((200, "success") if nonce is not None else (400, "fail"))
    assert api.coordinator.seen == ([("quote", nonce)] if nonce is not None else [])
    assert kind(api("GET", f"/quote?{query}")) == (200, "success")


@pytest.mark.parametrize(
    "upload",
    ["abc", {"Key": "@@"}, {"Private": 5}, {"Cert": 5}, {"Cert": b64(b"0\x03abc")}],
)
def test_a_bad_upload_is_400(api, upload) -> None:
    assert kind(api("POST", "/secrets", {"a": upload}, ada=True)) == (400, "error")
    assert kind(api("POST", f"{V2}/secrets", {"secrets": {"a": upload}}, ada=True)) == (400, "fail")


def test_a_certificate_that_is_not_base64_counts_as_none(api) -> None:
    api("POST", f"{V2}/secrets", {"secrets": {"a": {"Cert": "-----BEGIN"}}}, ada=True)
    assert api.coordinator.seen[-1][1]["a"].certificate is None


def test_recovery_refusals(api) -> None:
    assert kind(api("POST", f"{V2}/recover", {"recoverySecret": b64(b"a" * 20480)})) == (400, "fail")
    api.coordinator.trouble = RecoveryRefused("no", code="recovery-secret-unreadable")
    assert kind(api("POST", f"{V2}/recover", {"recoverySecret": b64(b"a" * 15000)})) == (400, "fail")
    api.coordinator.trouble = RecoveryRefused("no")
    assert kind(api("POST", f"{V2}/recover", {"recoverySecret": b64(b"a" * 32)})) == (500, "error")


def test_a_quote_that_does_not_verify_is_400_with_data(api) -> None:
    api.coordinator.open_gates.add(Act.SIGN_QUOTE)
    for body in (b"x", {"sgxQuote": "@"}):
        answer = api("POST", f"{V2}/sign-quote", body)
        assert kind(answer) == (400, "fail")
        assert set(answer.json()["data"]) == {"sgxQuote"}
    api.coordinator.trouble = QuoteNotVerified("no")
    answer = api("POST", f"{V2}/sign-quote", {"sgxQuote": ""}).json()
    assert answer["data"] == {"sgxQuote": answer["message"]}
    assert answer["message"].startswith("no. ")


@pytest.mark.parametrize("value", [2**64, -1, 1.5, "1"])
def test_a_counter_value_outside_uint64_is_400(api, value) -> None:
    api.coordinator.open_gates.add(Act.COUNT)
    assert kind(api("POST", f"{V2}/monotonic-counter", {"name": "n", "value": value})) == (400, "fail")


def test_a_fault_of_ours_is_500_without_detail(tmp_path) -> None:
    with world.serving("client", faultless=False) as server:
        api = Api(server, tmp_path, http2=True)
        server.coordinator.trouble = KeyError("the secret of all secrets")
        answer = api("GET", "/status")
        assert kind(answer) == (500, "error")
        assert answer.json()["message"] == "internal error"
        assert server.witness.faults == [server.coordinator.trouble]
        api.close()


# -- sizes and slow peers --------------------------------------------------------------------------


def test_a_manifest_of_ten_megabytes_is_taken(api) -> None:
    raw = b'{"x":"' + b"y" * 10_000_000 + b'"}'
    assert data(api("POST", "/manifest", raw)) is None
    assert api.coordinator.manifest_raw == raw
    assert api("GET", "/manifest").json()["data"]["Manifest"] == b64(raw)


@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_a_body_over_the_cap_is_413(http2, tmp_path) -> None:
    with world.serving("client", limits=world.limits_of("client", body_bytes=100_000)) as server:
        api = Api(server, tmp_path, http2)
        assert kind(api("POST", "/manifest", bytes(300_000))) == (413, "error")
        assert server.coordinator.seen == []
        assert kind(api("GET", "/status")) == (200, "success")
        api.close()


def raw_exchange(server, tmp_path, sent: bytes) -> bytes:
    context = world.client_context(None, tmp_path, ("http/1.1",))
    answer = b""
    with world.connect(server.address, context) as connection:
        connection.sendall(sent)
        try:
            while piece := connection.recv(65536):
                answer += piece
        except (ssl.SSLError, ConnectionError):
            pass
    return answer


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x00\x01\x02\r\n\r\n", 400),
        (b"GET /status\r\n\r\n", 400),
        (b"GET /status HTTP/1.1\r\n\r\n", 400),
        (b"GET /status HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET /status HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000, 431),
        (b"GET /status HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 100 + b"\r\n", 431),
        (b"GET /status HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: upgrade, close\r\n\r\n", 200),
        (b"GET https://x/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        (b"GET /status HTTP/1.0\r\n\r\n", 200),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
        (
            b"POST /manifest HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\n{}\r\n0\r\n\r\n",
            200,
        ),
    ],
)
def test_odd_http1_is_answered(sent, status, tmp_path) -> None:
    with world.serving("client") as server:
        assert raw_exchange(server, tmp_path, sent).startswith(b"HTTP/1.1 %d " % status)
        world.eventually(lambda: server.listener.connections == 0)


def test_pipelined_requests_are_answered_in_order(tmp_path) -> None:
    one = b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n"
    two = b"GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with world.serving("client") as server:
        answer = raw_exchange(server, tmp_path, one * 3 + two)
        assert [line.split()[1] for line in answer.splitlines() if line.startswith(b"HTTP/")] == [
            b"200"
        ] * 3 + [b"405"]


def test_a_peer_that_waits_for_100_is_told_to_go_on(tmp_path) -> None:
    with world.serving("client") as server:
        context = world.client_context(None, tmp_path, ("http/1.1",))
        with world.connect(server.address, context) as connection:
            connection.sendall(
                b"POST /manifest HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
            )
            assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
            connection.sendall(b"{}")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "sent", [b"", b"GET /sta", b"POST /manifest HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_slow_http1_peer_is_ended(sent, tmp_path) -> None:
    limits = world.limits_of("client", request_seconds=0.2, linger_seconds=0.2)
    with world.serving("client", limits=limits) as server:
        raw_exchange(server, tmp_path, sent)
        world.eventually(lambda: server.listener.connections == 0)
        assert len(server.witness.evictions) == 1


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_answers_do_not_pile_up_for_a_peer_that_pipelines_and_never_reads(loop, tmp_path) -> None:
    limits = world.limits_of("client", response_seconds=1.0, linger_seconds=0.2)
    with world.serving("client", loop=loop, limits=limits) as server:
        server.coordinator.manifest_raw = bytes(1_000_000)
        context = world.client_context(None, tmp_path, ("http/1.1",))
        with world.connect(server.address, context) as connection:
            connection.sendall(b"GET /manifest HTTP/1.1\r\nHost: x\r\n\r\n" * 300)
            world.eventually(lambda: server.witness.evictions == ["a request took too long"])
            # two or three, as the buffers of the sockets hold some megabytes; never hundreds
            assert 1 <= len(server.witness.answers) < 20
            world.eventually(lambda: server.listener.connections == 0)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("close", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
def test_a_slow_http1_reader_gets_all_as_long_as_it_reads_on(loop, close, tmp_path) -> None:
    limits = world.limits_of("client", response_seconds=1.0)
    with world.serving("client", loop=loop, limits=limits) as server:
        server.coordinator.manifest_raw = bytes(9_000_000)
        context = world.client_context(None, tmp_path, ("http/1.1",))
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        raw.settimeout(20)
        raw.connect(server.address)
        with context.wrap_socket(raw) as connection:
            connection.sendall(b"GET /manifest HTTP/1.1\r\nHost: x\r\n" + close + b"\r\n")
            got = 0
            begun = time.monotonic()
            while got < 12_000_000:  # base64
                time.sleep(0.25 * (got // 1_500_000 - (got - 16384) // 1_500_000))
                piece = connection.recv(16384)
                assert piece, f"hung up after {got} bytes"
                got += len(piece)
            assert time.monotonic() - begun > 1.5
        assert server.witness.evictions == []


def test_a_server_that_stops_lets_a_slow_http1_reader_have_its_answer(tmp_path) -> None:
    server = world.Server("client", "asyncio", world.FakeCoordinator(), None)
    server.coordinator.manifest_raw = bytes(9_000_000)
    context = world.client_context(None, tmp_path, ("http/1.1",))
    with world.connect(server.address, context) as connection:
        connection.sendall(b"GET /manifest HTTP/1.1\r\nHost: x\r\n\r\n")
        world.eventually(lambda: server.witness.answers)
        stopping = asyncio.run_coroutine_threadsafe(server.server.stop(20), server._loop)
        time.sleep(0.5)
        got = b""
        while piece := connection.recv(65536):
            got += piece
        assert len(got) > 12_000_000
        stopping.result(20)
    server.stop()


# -- recorded answers of the reference -------------------------------------------------------------


@pytest.mark.skipif(not SHARED.exists(), reason="shared/ is absent")
def test_every_recorded_route_answers_as_recorded(api) -> None:
    api.coordinator.open_gates = set()
    steps = json.loads((SHARED / "routes.json").read_text())["steps"]
    checked = 0
    for step in steps:
        if step["kind"] != "rest":
            continue
        method, _, path = step["name"].partition(" ")
        answer = api.target(method, path)
        recorded = step["result"]
        assert answer.status_code == recorded["status"], step["name"]
        contract = ("content-type", "x-content-type-options", "location", "allow")
        assert {h: answer.headers[h] for h in contract if h in answer.headers} == recorded["headers"], step[
            "name"
        ]
        checked += 1
    assert checked > 100
