"""The envelope and the table of refusals."""

import json

import pytest

from sealmesh.errors import Kind, SealmeshError
from sealmesh.errors.attestation import AppraisalError, Mismatch
from sealmesh.errors.coordinator import (
    EvidenceRefused,
    GateClosed,
    NothingPending,
    QuoteNotVerified,
    RecoveryRefused,
    UserUnauthenticated,
)
from sealmesh.errors.transport import BodyRefused, EndpointGone, MessageTooLarge, Overloaded, QueryRefused
from sealmesh.wire import rest_v1
from sealmesh.wire.enrolment_pb2 import ErrorDetail
from sealmesh.wire.envelope import error, fail, own_error, success
from sealmesh.wire.error_detail import encode_error
from sealmesh.wire.refusals import refuse_v1, refuse_v2


def test_the_envelope_always_has_data_and_ends_with_a_newline() -> None:
    assert success(None).body == b'{"status":"success","data":null}\n'
    assert error(405).body == b'{"status":"error","data":null}\n'
    assert json.loads(fail(400, "why").body) == {"status": "fail", "data": None, "message": "why"}
    assert success("\ud800").body == b'{"status":"success","data":"\\ud800"}\n'


@pytest.mark.parametrize(
    ("refusal", "v1", "v2", "word"),
    [
        (BodyRefused("x"), 400, 400, "fail"),
        (QueryRefused("x"), 400, 400, "fail"),
        (QuoteNotVerified("x"), 400, 400, "fail"),
        (RecoveryRefused("x", code="recovery-secret-unreadable"), 400, 400, "fail"),
        (UserUnauthenticated("x"), 401, 401, "fail"),
        (RecoveryRefused("x"), 400, 500, "error"),
        (EvidenceRefused("x"), 400, 500, "error"),
        (GateClosed("x"), 403, 403, "error"),
        (NothingPending("x"), 404, 404, "error"),
        (EndpointGone("x"), 410, 410, "error"),
        (MessageTooLarge("x"), 413, 413, "error"),
        (Overloaded("x"), 503, 503, "error"),
    ],
)
def test_refusals_on_both_versions(refusal: SealmeshError, v1: int, v2: int, word: str) -> None:
    first, second = refuse_v1(refusal), refuse_v2(refusal)
    assert (first.status, json.loads(first.body)["status"]) == (v1, "error")
    assert (second.status, json.loads(second.body)["status"]) == (v2, word)


def test_code_and_remedy_travel_in_a_header_that_is_plain_ascii() -> None:
    refusal = UserUnauthenticated("näive\r\nX: y", found="f" * 5000, remedy="do\x00this")
    for answer in (refuse_v1(refusal), refuse_v2(refusal)):
        value = dict(answer.headers)["sealmesh-error"]
        assert value.isascii()
        assert value.isprintable()
        assert len(value) < 2000
        assert json.loads(value)["message"] == "näive\r\nX: y"
        assert json.loads(value)["code"] == refusal.code


def test_our_own_errors_keep_their_parts() -> None:
    class Odd(SealmeshError):
        code = "odd"
        kind = Kind.STATE

    answer = own_error(Odd("m", found="f", wanted="w", remedy="r"))
    assert answer.status == 412
    assert json.loads(answer.body)["error"] == {
        "code": "odd",
        "message": "m",
        "found": "f",
        "wanted": "w",
        "remedy": "r",
    }


def test_the_sentences_that_a_client_library_compares() -> None:
    assert rest_v1.acknowledged(0).split()[0] == "All"
    assert rest_v1.acknowledged(1).split()[:2] == ["1", "user"]
    assert rest_v1.acknowledged(2).split()[:2] == ["2", "users"]


def test_error_details_are_cut_and_always_text() -> None:
    detail = ErrorDetail.FromString(encode_error(SealmeshError("\udc80" + "m" * 9000, found=b"\xff")))
    assert len(detail.message) <= 400
    assert detail.message.startswith("?m")
    assert detail.found == "b'\\xff'"


def test_a_refusal_carries_all_its_mismatches_or_says_how_many_more_there_are() -> None:
    few = [Mismatch(field=f"Evidence[0].PCR{n}", found="ab" * 48, wanted="cd" * 48) for n in range(12)]
    detail = ErrorDetail.FromString(encode_error(AppraisalError(few)))
    assert [(m.field, m.found, m.wanted) for m in detail.mismatches] == [
        (m.field, m.found, m.wanted) for m in few
    ]
    many = few * 30
    raw = encode_error(AppraisalError(many))
    detail = ErrorDetail.FromString(raw)
    *shown, last = detail.mismatches
    assert len(raw) < 6000
    assert last.found == f"{len(many) - len(shown)} more"
