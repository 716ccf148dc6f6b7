"""Odd answers of API v1, and when it is asked at all."""

import json

import pytest

from sealmesh.client import SecretUpload
from sealmesh.client.exchange import Answer, b64
from sealmesh.client.manifest import read_manifest, read_update_log, set_manifest
from sealmesh.client.quote import read_quote
from sealmesh.client.secret import read_secrets, write_secrets
from sealmesh.client.status import read_status
from sealmesh.client.update import acknowledge_update, apply_update, cancel_update
from sealmesh.errors.client import AnswerError, Refused

NO_V2 = Answer(status=405, content=b'{"status":"error","data":null}\n')


def ok(data: object) -> Answer:
    return Answer(status=200, content=json.dumps({"status": "success", "data": data}).encode())


def hold(exchange, *answers: Answer):
    asked = [next(exchange)]
    for answer in answers:
        try:
            asked.append(exchange.send(answer))
        except StopIteration as done:
            return done.value, asked
    raise AssertionError("the exchange wants more answers")


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize(
    "exchange",
    [
        lambda: apply_update(b"{}"),
        lambda: acknowledge_update(b"{}"),
        lambda: set_manifest(b"{}"),
        lambda: write_secrets({"s": SecretUpload(key=b"k")}),
        cancel_update,
    ],
)
def test_an_act_is_asked_again_only_after_405_so_it_is_never_done_twice(exchange, status) -> None:
    exchange = exchange()
    next(exchange)
    with pytest.raises((AnswerError, StopIteration)):
        exchange.send(Answer(status=status, content=b'{"status":"x","data":{},"message":"m"}'))


@pytest.mark.parametrize(
    ("sentence", "missing"),
    [
        ("All users have acknowledged the update manifest. Update successfully applied", 0),
        ("1 user still needs to acknowledge the update manifest", 1),
        ("12 users still need to acknowledge the update manifest", 12),
    ],
)
def test_the_sentence_of_an_acknowledgment_is_read(sentence, missing) -> None:
    found, asked = hold(acknowledge_update(b"raw"), NO_V2, ok(sentence))
    assert found.missing_acknowledgments == missing
    assert (asked[1].path, asked[1].body) == ("/update-manifest", b"raw")


@pytest.mark.parametrize("data", ["", "Almost all", "-1 users still need to acknowledge", None, 3, {"a": 1}])
def test_another_sentence_is_not_taken_for_applied(data) -> None:
    with pytest.raises(AnswerError):
        hold(acknowledge_update(b"raw"), NO_V2, ok(data))


def test_an_update_that_waits_is_told_by_who_is_missing() -> None:
    pending = ok({"manifest": b64(b"raw"), "message": "", "missingUsers": ["ada", "bob"]})
    found, asked = hold(apply_update(b"raw"), NO_V2, ok(None), pending)
    assert (found.missing_acknowledgments, found.missing_users) == (2, ("ada", "bob"))
    assert [request.path for request in asked] == ["/api/v2/update", "/update", "/update-manifest"]


def test_an_update_after_which_nothing_waits_is_applied() -> None:
    nothing = Answer(status=404, content=b'{"status":"error","data":null,"message":"none"}')
    assert hold(apply_update(b"raw"), NO_V2, ok(None), nothing)[0].applied


def test_another_update_that_waits_is_not_taken_for_this_one() -> None:
    pending = ok({"manifest": b64(b"another"), "message": "", "missingUsers": ["ada"]})
    assert hold(apply_update(b"raw"), NO_V2, ok(None), pending)[0].applied


def test_an_update_of_which_nothing_is_known_is_not_called_applied() -> None:
    for unknown in (NO_V2, Answer(status=500, content=b"{}"), ok(None)):
        with pytest.raises(AnswerError):
            hold(apply_update(b"raw"), NO_V2, ok(None), unknown)


def test_no_manifest_is_a_refusal() -> None:
    none = {"ManifestSignatureRootECDSA": None, "ManifestSignature": "", "Manifest": None}
    with pytest.raises(Refused, match="no manifest"):
        hold(read_manifest(), NO_V2, ok(none))


@pytest.mark.parametrize(
    ("exchange", "data"),
    [
        (read_manifest, None),
        (read_manifest, {"ManifestSignature": "ab", "Manifest": None}),
        (read_manifest, {"manifest": "e30=", "manifestFingerprint": "ab"}),
        (read_update_log, ["line"]),
        (lambda: set_manifest(b"{}"), "x"),
        (lambda: read_secrets("a"), None),
        (lambda: read_secrets("a"), {"a": None}),
        (lambda: read_quote(b"n"), {"Quote": None}),
        (lambda: read_quote(b"n"), None),
    ],
)
def test_an_odd_answer_is_our_error(exchange, data) -> None:
    held = exchange()
    own_route = "/sealmesh/" in next(held).path
    for _ in range(2 if own_route else 1):
        held.send(NO_V2)
    with pytest.raises(AnswerError):
        held.send(ok(data))


def test_status_is_read() -> None:
    found, asked = hold(read_status(), NO_V2, NO_V2, ok({"StatusCode": 1, "StatusMessage": "recovery"}))
    assert (found.code, found.message, found.simulation) == (1, "recovery", False)
    assert [request.path for request in asked] == ["/api/sealmesh/v1/status", "/api/v2/status", "/status"]


def test_recovery_keys_or_not_setting_a_manifest_gives_a_map() -> None:
    assert hold(set_manifest(b"{}"), NO_V2, ok(None))[0] == {}
    assert hold(set_manifest(b"{}"), NO_V2, ok({"RecoverySecrets": {"a": "AAAA"}}))[0] == {"a": bytes(3)}


def test_a_second_apis_answer_cannot_say_that_its_quote_binds_nothing(bench) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    pem = bench.authority.root_cert.public_bytes(Encoding.PEM).decode()
    data = {"cert": pem, "quote": None, "nonce": "", "noNonce": True}
    assert hold(read_quote(b"mine"), NO_V2, ok(data))[0].nonce == b"mine"
    assert hold(read_quote(b"mine"), NO_V2, NO_V2, ok({"Cert": pem, "Quote": None}))[0].nonce == b""
