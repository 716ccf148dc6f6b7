"""Whatever answers, the client gives a value of its type or its own error."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealmesh.client.answers import data_of
from sealmesh.client.counter import raise_counter
from sealmesh.client.effective import effective_manifest
from sealmesh.client.exchange import Answer, get
from sealmesh.client.manifest import read_manifest, read_update_log, set_manifest
from sealmesh.client.quote import read_quote, read_statement, sign_quote
from sealmesh.client.recovery import read_recovery_key, recover
from sealmesh.client.secret import read_secrets, write_secrets
from sealmesh.client.secret_files import parse_secret_pem, parse_secret_uploads
from sealmesh.client.status import read_status
from sealmesh.client.update import acknowledge_update, apply_update, cancel_update, read_pending_update
from sealmesh.errors.client import AnswerError, ClientError

EXCHANGES = {
    "status": read_status,
    "quote": lambda: read_quote(b"n"),
    "statement": lambda: read_statement(b"n"),
    "sign quote": lambda: sign_quote(b"q"),
    "manifest": read_manifest,
    "set manifest": lambda: set_manifest(b"{}"),
    "log": read_update_log,
    "apply": lambda: apply_update(b"{}"),
    "acknowledge": lambda: acknowledge_update(b"{}"),
    "pending": read_pending_update,
    "cancel": cancel_update,
    "secrets": lambda: read_secrets("a"),
    "write secrets": lambda: write_secrets({}),
    "recover": lambda: recover(b""),
    "recovery key": read_recovery_key,
    "counter": lambda: raise_counter("c", 1),
}
NAMES = st.sampled_from(
    ["code", "message", "relaxations", "simulation", "cert", "quote", "endorsements", "manifest", "secrets",
     "manifestFingerprint", "manifestSignatureRootECDSA", "RecoverySecrets", "updateLog", "missingUsers",
     "missingAcknowledgments", "recoverySecrets", "remaining", "ephemeralPublicKey", "value", "tcbStatus",
     "verificationSignature", "a", "Type", "Size", "Shared", "UserDefined", "ValidFor", "Cert", "Private"]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-1, 2**70)
    | st.sampled_from(["", "AAAA", "AA", "*", "é"])
    | st.text()
)
TREES = st.recursive(
    LEAVES, lambda t: st.lists(t, max_size=3) | st.dictionaries(NAMES, t, max_size=6), max_leaves=12
)
CONTENTS = st.binary(max_size=60) | st.builds(
    lambda data, error: json.dumps({"status": "success", "data": data} | error).encode(),
    st.dictionaries(NAMES, TREES, max_size=8) | TREES,
    st.just({}) | st.fixed_dictionaries({"error": TREES}) | st.fixed_dictionaries({"message": TREES}),
)


def hold(exchange: Any, answer: Answer) -> None:
    next(exchange)
    try:
        while True:
            exchange.send(answer)
    except StopIteration:
        pass


@pytest.mark.parametrize("name", sorted(EXCHANGES))
@given(content=CONTENTS, status=st.sampled_from([200, 200, 200, 302, 400, 401, 403, 404, 405, 429, 500, 503]))
def test_an_exchange_ends_with_a_value_or_its_own_error(name: str, content: bytes, status: int) -> None:
    try:
        hold(EXCHANGES[name](), Answer(status=status, content=content))
    except AnswerError:
        pass


@given(st.integers(min_value=2000, max_value=200_000))
def test_a_deep_answer_is_refused(depth: int) -> None:
    with pytest.raises(AnswerError):
        data_of(get("/"), Answer(status=200, content=b'{"data":' + b"[" * depth))


@given(st.binary() | TREES.map(lambda tree: json.dumps(tree).encode()))
def test_files_with_secrets_are_read_or_refused(raw: bytes) -> None:
    for parse in (parse_secret_uploads, parse_secret_pem):
        try:
            parse(raw)
        except ClientError:
            pass


@given(TREES, st.lists(TREES.map(json.dumps), max_size=3))
def test_a_manifest_is_shown_or_refused(document: Any, log: list[str]) -> None:
    try:
        shown = effective_manifest(json.dumps(document).encode(), "00", log)
    except AnswerError:
        return
    assert isinstance(json.loads(shown), dict)
