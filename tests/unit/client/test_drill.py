"""The drill's conversation, driven by hand, and what a status tells of a recovery."""

import base64
import json

import pytest

from sealmesh.client.drill import Drill, DrillShare, ShareVerdict, drill
from sealmesh.client.exchange import Answer
from sealmesh.client.status import RecoveryStatus, read_status
from sealmesh.errors.client import AnswerError, Refused

GOOD = {
    "owners": 2,
    "threshold": 2,
    "passed": False,
    "opens": False,
    "remark": "",
    "shares": {"mine": {"problem": "", "owner": "ra"}},
}


def converse(exchange, status, data):
    """Return the request and what the exchange makes of the answer."""
    request = next(exchange)
    envelope = {"status": "success", "data": data} if status == 200 else data
    try:
        exchange.send(Answer(status=status, content=json.dumps(envelope).encode()))
    except StopIteration as done:
        return request, done.value
    raise AssertionError("it asked again")


def test_a_drill_sends_secret_and_signature_and_reads_the_verdicts():
    request, found = converse(drill({"mine": DrillShare(secret=b"s" * 32, signature=b"sig")}), 200, GOOD)
    assert (request.method, request.path) == ("POST", "/api/sealmesh/v1/recover/drill")
    sent = json.loads(request.body)["shares"]["mine"]
    assert base64.b64decode(sent["recoverySecret"]) == b"s" * 32
    assert base64.b64decode(sent["recoverySecretSignature"]) == b"sig"
    assert found == Drill(
        owners=2,
        threshold=2,
        passed=False,
        opens=False,
        remark="",
        shares={"mine": ShareVerdict(problem="", owner="ra")},
    )


@pytest.mark.parametrize("change", [{"shares": {}}, {"shares": 5}, {"passed": 1}, {"owners": True}])
def test_an_answer_that_leaves_something_out_is_refused(change):
    with pytest.raises(AnswerError):
        converse(drill({"mine": DrillShare(secret=b"s")}), 200, GOOD | change)


def test_a_refusal_is_told_as_it_came():
    refusal = {"error": {"code": "drill-refused", "message": "nobody can"}}
    with pytest.raises(Refused):
        converse(drill({}), 412, refusal)


def test_a_share_is_not_shown():
    assert "secret" not in repr(DrillShare(secret=b"very secret"))


def test_the_status_tells_why_a_state_waits():
    waiting = {"reason": "the key is lost", "owners": 3, "threshold": 2, "given": 1}
    _, found = converse(read_status(), 200, {"code": 1, "message": "waits", "recovery": waiting})
    assert found.recovery == RecoveryStatus(reason="the key is lost", owners=3, threshold=2, given=1)
    _, found = converse(read_status(), 200, {"code": 3, "message": "runs"})
    assert found.recovery is None
