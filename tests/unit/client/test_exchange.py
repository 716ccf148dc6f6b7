"""Exchanges driven by hand: no network, no TLS."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.client import AsyncCoordinatorApi, CoordinatorApi, SecretUpload
from sealmesh.client.counter import raise_counter
from sealmesh.client.exchange import Answer, Exchange, Request, b64
from sealmesh.client.quote import sign_quote
from sealmesh.client.recovery import read_recovery_key, recover
from sealmesh.client.secret import read_secrets, write_secrets
from sealmesh.client.status import read_status
from sealmesh.client.update import acknowledge_update, apply_update, cancel_update, read_pending_update
from sealmesh.errors.client import (
    AnswerError,
    FeatureClosed,
    NothingThere,
    NotServed,
    Overloaded,
    Refused,
    Unauthenticated,
)

SECRET = {
    "Type": "plain", "Size": 0, "Shared": False, "UserDefined": True, "Cert": None, "ValidFor": 0,
    "Private": "cnll", "Public": "cnll",
}  # fmt: skip


def hold(exchange: Exchange[Any], *answers: Any) -> tuple[Any, list[Request]]:
    """Answer each request in turn with `data`, or with a whole Answer; return the result and the requests."""
    asked = [next(exchange)]
    for answer in answers:
        given = answer
        if not isinstance(answer, Answer):
            given = Answer(status=200, content=json.dumps({"status": "success", "data": answer}).encode())
        try:
            asked.append(exchange.send(given))
        except StopIteration as done:
            return done.value, asked
    raise AssertionError("the exchange wants more answers")


def refusal(status: int, message: str = "no") -> Answer:
    content = {"status": "error", "data": None} | ({"message": message} if message else {})
    return Answer(status=status, content=json.dumps(content).encode())


def body(request: Request) -> Any:
    return json.loads(request.body or b"null")


def test_status_falls_back_to_marbleruns_route() -> None:
    found, asked = hold(read_status(), refusal(405, ""), {"code": 3, "message": "running"})
    assert (found.code, found.message) == (3, "running")
    assert [item.path for item in asked] == ["/api/sealmesh/v1/status", "/api/v2/status"]


def test_an_update_that_waits_names_whom_for() -> None:
    found, asked = hold(apply_update(b"{}"), {"missingAcknowledgments": 1, "missingUsers": ["bob"]})
    assert (found.applied, found.missing_users, dict(found.recovery_secrets)) == (False, ("bob",), {})
    assert (asked[0].method, asked[0].path, body(asked[0])) == (
        "POST",
        "/api/v2/update",
        {"manifest": "e30="},
    )


def test_an_update_in_force_brings_recovery_secrets() -> None:
    answer = {"missingAcknowledgments": 0, "missingUsers": None, "recoverySecrets": {"ra": "AAAA"}}
    found, asked = hold(acknowledge_update(b"{}"), answer)
    assert (found.applied, found.recovery_secrets) == (True, {"ra": bytes(3)})
    assert asked[0].path == "/api/v2/update-manifest"


def test_a_pending_update_is_read_and_cancelled() -> None:
    answer = {"manifest": "e30=", "message": "one to go", "missingUsers": ["cy"]}
    found, _ = hold(read_pending_update(), answer)
    assert (found.raw, found.missing_users) == (b"{}", ("cy",))
    assert hold(cancel_update(), {"message": "gone"})[0] is None


def test_secrets_are_named_one_by_one_in_the_query() -> None:
    found, asked = hold(read_secrets("a b", "c&d"), {"secrets": {"a b": SECRET, "c&d": SECRET}})
    assert asked[0].query == (("s", "a b"), ("s", "c&d"))
    assert found["a b"].private == b"rye"
    assert "rye" not in repr(found)


def test_secrets_are_uploaded_with_what_was_given_only() -> None:
    uploads = {"pin": SecretUpload(key=b"1"), "shop": SecretUpload(certificate=b"c", private=b"p")}
    result, asked = hold(write_secrets(uploads), None)
    assert result is None
    sent = {"pin": {"Key": "MQ=="}, "shop": {"Cert": "Yw==", "Private": "cA=="}}
    assert body(asked[0]) == {"secrets": sent}
    assert "'1'" not in repr(uploads)


def test_recovery_counts_down() -> None:
    found, asked = hold(recover(b"s", b"sig"), {"remaining": 2, "message": "go on"})
    assert found.remaining == 2
    assert body(asked[0]) == {"recoverySecret": "cw==", "recoverySecretSignature": "c2ln"}


def test_a_recovery_key_is_a_key() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert hold(read_recovery_key(), {"algorithm": "RSA", "ephemeralPublicKey": b64(der)})[0] == der
    with pytest.raises(AnswerError):
        hold(read_recovery_key(), {"algorithm": "RSA", "ephemeralPublicKey": "AAAA"})


def test_a_quote_is_signed_and_a_counter_raised() -> None:
    found, _ = hold(sign_quote(b"q"), {"tcbStatus": "UpToDate", "verificationSignature": "AAAA"})
    assert (found.tcb_status, found.signature) == ("UpToDate", bytes(3))
    value, asked = hold(raise_counter("boot", 2**63), {"value": 7})
    assert (value, body(asked[0])) == (7, {"name": "boot", "value": 2**63})


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (401, "who?", Unauthenticated),
        (403, "closed", FeatureClosed),
        (404, "none pending", NothingThere),
        (404, "", NotServed),
        (429, "later", Overloaded),
        (503, "later", Overloaded),
        (400, "bad", Refused),
        (500, "the rules say no", Refused),
        (500, "", Refused),
    ],
)
def test_each_refusal_has_its_type(status: int, message: str, kind: type[AnswerError]) -> None:
    with pytest.raises(kind) as refused:
        hold(apply_update(b"{}"), refusal(status, message))
    assert type(refused.value) is kind
    assert message in str(refused.value)


def test_an_act_that_neither_api_has_is_told_as_such() -> None:
    with pytest.raises(NotServed, match="405 for /update"):
        hold(apply_update(b"{}"), refusal(405, ""), refusal(405, ""))


@pytest.mark.parametrize(
    ("exchange", "data"),
    [
        (read_status(), {"code": "3", "message": ""}),
        (read_status(), {"code": True, "message": ""}),
        (apply_update(b""), {"missingAcknowledgments": None}),
        (apply_update(b""), {"missingAcknowledgments": 0, "missingUsers": "bob"}),
        (apply_update(b""), {"missingAcknowledgments": 0, "recoverySecrets": ["x"]}),
        (apply_update(b""), {"missingAcknowledgments": 0, "recoverySecrets": {"x": "*"}}),
        (read_secrets("a"), {"secrets": {"a": None}}),
        (read_secrets("a"), {"secrets": []}),
        (read_secrets("a"), None),
        (recover(b""), {}),
        (read_recovery_key(), {"ephemeralPublicKey": 5}),
    ],
)
def test_an_answer_of_another_form_is_our_error(exchange: Exchange[Any], data: Any) -> None:
    with pytest.raises(AnswerError):
        hold(exchange, data)


def test_waiting_and_awaiting_have_the_same_acts() -> None:
    def acts(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert acts(CoordinatorApi) == acts(AsyncCoordinatorApi)
    assert "write_secrets" in acts(CoordinatorApi)


def test_every_act_is_on_the_reference_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "client.md").read_text()
    acts = {name for name in vars(CoordinatorApi) if not name.startswith("_")}
    assert {act for act in acts if f"`{act}(" not in page} == set()


def detailed(detail: str) -> Answer:
    content = b'{"status":"error","data":null,"message":"all in one sentence"}'
    return Answer(status=500, content=content, detail=detail)


def test_a_sealmesh_coordinators_code_and_remedy_reach_the_user() -> None:
    detail = {"code": "permission-refused", "message": "eve may not", "found": "no role", "remedy": "ask ada"}
    with pytest.raises(Refused) as refused:
        hold(apply_update(b"{}"), detailed(json.dumps(detail)))
    assert refused.value.as_dict() == detail


@pytest.mark.parametrize("detail", ["", "{", "[]", "5", '"code"', "{}", '{"message": "x"}'])
def test_a_detail_of_another_form_is_passed_over(detail: str) -> None:
    with pytest.raises(Refused, match="all in one sentence"):
        hold(apply_update(b"{}"), detailed(detail))
